package seating

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Promote gives free seats to those who wait, in the order of the queue.
type Promote struct {
	SlotID uuid.UUID
	// Also are further slots to lock: those of bookings that are given back (keep and upgrade).
	Also []uuid.UUID
}

func (c Promote) needs() needs {
	return needs{slots: append([]uuid.UUID{c.SlotID}, c.Also...), frees: true, unblocks: true}
}

func (c Promote) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	s.expireDue(slot)
	s.unblockReady(slot)
	slot.look(s.Now)
	promoted, done := s.promote(slot)
	return Result{Slot: *slot, Promoted: promoted, More: !done}, nil
}

// unblockReady puts those back into the queue whose reason to be blocked is gone,
// in the order of their places.
func (s *State) unblockReady(slot *Slot) {
	for _, b := range slices.Clone(slot.blocked) {
		if cause, gone := s.unblocks(slot, b); gone {
			s.unblock(b, cause)
		}
	}
}

// unblocks says whether the reason is gone, and which entry ended it.
func (s *State) unblocks(slot *Slot, b *Booking) (Cause, bool) {
	if b.Blocked == BlockedCapacity {
		return slot.cause(), b.least() <= slot.Capacity
	}
	blocker := s.bookings[b.BlockedBy]
	if blocker == nil || blocker.Status.TakesSeats() && blocker.overlaps(b.StartsAt, b.EndsAt) {
		return Cause{}, false
	}
	return Cause{blocker.SlotID, blocker.Version}, true
}

// promote serves the queue as far as it goes. done means that nobody who waits
// can be served as things stand. If not, the page is over, or somebody's turn
// needs a slot that is not locked; then whoever comes after waits too.
func (s *State) promote(slot *Slot) (promoted []Booking, done bool) {
	if slot.PromotionDueAt.IsZero() || !slot.promotes(s.Now) {
		slot.PromotionDueAt = time.Time{}
		return nil, true
	}
	var passed []*Booking
	for step := 0; step < headsPage; step++ {
		if slot.Free() <= 0 || len(passed) == slot.WaitlistReady || slot.exhausted(passed) {
			slot.PromotionDueAt = time.Time{}
			return promoted, true
		}
		if len(passed) == len(slot.ready) || len(promoted) == promotePage {
			break
		}
		b := slot.ready[len(passed)]
		if why, blocker := s.hindrance(slot, b); why != NotBlocked {
			s.block(b, why, blocker)
		} else if b.least() > slot.Free() {
			passed = append(passed, b)
		} else if also := s.unlocked(s.replaced(b)); also != uuid.Nil {
			s.wake(slot.ID, also)
			return promoted, false
		} else {
			s.serve(slot, b, passed)
			promoted = append(promoted, *b)
		}
	}
	s.wake(slot.ID)
	return promoted, false
}

// hindrance is why a booking cannot take seats now, however many are free.
func (s *State) hindrance(slot *Slot, b *Booking) (Block, uuid.UUID) {
	if b.least() > slot.Capacity {
		return BlockedCapacity, uuid.Nil
	}
	except := uuid.Nil
	if old := s.replaced(b); old != nil {
		except = old.ID
	}
	if o := s.blocker(b.UserID, slot.StartsAt, slot.EndsAt, except); o != nil {
		return BlockedOverlap, o.ID
	}
	return NotBlocked, uuid.Nil
}

// exhausted says that nobody may pass those who do not fit: by the strict rule,
// or because there are too many, or because one was passed often enough.
func (s *Slot) exhausted(passed []*Booking) bool {
	if s.Policy.Fit == FitStrict {
		return len(passed) > 0
	}
	return len(passed) >= lookAhead || slices.ContainsFunc(passed, func(b *Booking) bool { return b.Passes >= s.Policy.MaxPasses })
}

// serves says whether a newcomer gets seats at once, and whom that passes. Asked
// when promote is done: none of those who are ready fits.
func (s *Slot) serves(b *Booking) (passes []*Booking, served bool) {
	switch {
	case b.least() > s.Free() || !s.PromotionDueAt.IsZero():
		return nil, false
	case s.WaitlistReady > 0 && (!s.readyLoaded() || s.exhausted(s.ready)):
		return nil, false
	}
	b.Seats = min(b.Seats, s.Free())
	return slices.Clone(s.ready), true
}

// replaced is the booking with seats that b gives back when it gets its own, or
// nil. Of two waits that name one booking, the later means the one that won.
func (s *State) replaced(b *Booking) *Booking {
	old := s.bookings[b.Replaces]
	for hops := 0; old != nil && old.ReplacedBy != uuid.Nil && hops < maxReplacements; hops++ {
		old = s.bookings[old.ReplacedBy]
	}
	if old == nil || old == b || !old.Status.TakesSeats() {
		return nil
	}
	return old
}

// unlocked is the booking's slot, if there is one and the batch did not lock it.
func (s *State) unlocked(b *Booking) uuid.UUID {
	if b != nil && s.slots[b.SlotID] == nil {
		return b.SlotID
	}
	return uuid.Nil
}

// serve gives a waiting booking its seats, or as many as it takes: asked first in
// offer mode, at once otherwise and where it names a booking that it gives back.
func (s *State) serve(slot *Slot, b *Booking, passed []*Booking) {
	cause := slot.cause()
	b.Seats = min(b.Seats, slot.Free())
	if slot.offers(s.Now) && s.replaced(b) == nil {
		s.turn(b, Offered, KindOffered, System(""), cause)
	} else {
		s.turn(b, Confirmed, KindPromoted, System(""), cause)
	}
	here := Cause{slot.ID, slot.Version}
	s.giveBack(b)
	s.pass(passed, here)
}

// giveBack cancels the booking that b, which has seats now, replaces. b's last
// entry is the cause.
func (s *State) giveBack(b *Booking) {
	old := s.replaced(b)
	if b.Status != Confirmed || old == nil {
		return
	}
	old.ReplacedBy = b.ID
	s.turn(old, Cancelled, KindCancelled, System("upgraded"), Cause{b.SlotID, b.Version})
}

// pass notes with each of those who did not fit that somebody went first.
func (s *State) pass(passed []*Booking, cause Cause) {
	for _, b := range passed {
		b.Passes++
		s.record(s.slots[b.SlotID], b, KindPassed, System(fmt.Sprintf("%d seats were not free", b.least())), cause)
	}
}
