package seating

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Promote gives free seats to waiting bookings, in the order of the queue, up to
// PromotePage of them. Result.More says that somebody else may still be served.
// The only refusal is fault.NotFound.
type Promote struct {
	SlotID uuid.UUID
	// Also are further slots to lock: those of bookings that are given back (keep and
	// upgrade).
	Also []uuid.UUID
}

func (c Promote) Needs() Needs {
	return Needs{Slots: append([]uuid.UUID{c.SlotID}, c.Also...), Serves: []uuid.UUID{c.SlotID}, Frees: true, Unblocks: true}
}

func (c Promote) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	s.expireDue(slot)
	s.unblockEnded(slot)
	slot.markPromotionDue(s.Now)
	promoted, done := s.promote(slot)
	return Result{Slot: *slot, Promoted: promoted, More: !done}, nil
}

// unblockEnded unblocks the bookings that are no longer blocked by anything.
func (s *State) unblockEnded(slot *Slot) {
	for _, b := range slices.Clone(slot.blocked) {
		if cause, ended := s.blockEnded(slot, b); ended {
			s.unblock(b, cause)
		}
	}
}

// blockEnded says whether the reason for a block has ended, and by which entry.
func (s *State) blockEnded(slot *Slot, b *Booking) (Cause, bool) {
	if b.Blocked == BlockedCapacity {
		return slot.cause(), b.minSeats() <= slot.Capacity
	}
	blocker := s.bookings[b.BlockedBy]
	if blocker == nil || blocker.Status.TakesSeats() && blocker.overlaps(b.StartsAt, b.EndsAt) && blocker != s.replaced(b) {
		return Cause{}, false
	}
	return Cause{blocker.SlotID, blocker.Version}, true
}

// promote serves the queue, if a promotion is due. done means that nobody else who
// waits can be served now. Otherwise the page is full, or ends with the loaded part of
// the queue, or the next booking gives seats back in a slot that is not locked: then
// the promotion stays due, so that nobody overtakes that booking, and a job goes on
// with it.
func (s *State) promote(slot *Slot) (promoted []Booking, done bool) {
	if slot.PromotionDueAt.IsZero() || !slot.canPromote(s.Now) {
		slot.PromotionDueAt = time.Time{}
		return nil, true
	}
	var passed []*Booking
	for step := 0; step < HeadsPage; step++ {
		if slot.Free() <= 0 || len(passed) == slot.WaitlistReady || slot.cannotPass(passed) {
			slot.PromotionDueAt = time.Time{}
			return promoted, true
		}
		if len(promoted) == PromotePage {
			break
		}
		if len(passed) == len(slot.ready) {
			slot.isCutShort = true
			break
		}
		b := slot.ready[len(passed)]
		if why, blocker := s.blockReason(slot, b); why != NotBlocked {
			s.block(b, why, blocker)
		} else if b.minSeats() > slot.Free() {
			passed = append(passed, b)
		} else if s.isOverLimit(slot, b) {
			s.transition(b, Cancelled, KindCancelled, System("max_seats_per_user"), Cause{})
		} else if also := s.unlockedSlot(s.replaced(b)); also != uuid.Nil {
			s.requestPromotion(slot.ID, also)
			return promoted, false
		} else {
			s.promoteOne(slot, b, passed)
			promoted = append(promoted, *b)
		}
	}
	s.requestPromotion(slot.ID)
	return promoted, false
}

// blockReason is why a booking cannot take seats now, however many are free, and
// the booking that is in the way.
func (s *State) blockReason(slot *Slot, b *Booking) (Block, uuid.UUID) {
	if b.minSeats() > slot.Capacity {
		return BlockedCapacity, uuid.Nil
	}
	except := uuid.Nil
	if old := s.replaced(b); old != nil {
		except = old.ID
	}
	if blocker := s.blocker(b.UserID, slot.StartsAt, slot.EndsAt, except); blocker != nil {
		return BlockedOverlap, blocker.ID
	}
	return NotBlocked, uuid.Nil
}

// cannotPass says that nobody may pass these bookings: because the rule is strict,
// because they are too many, or because one was passed often enough.
func (s *Slot) cannotPass(passed []*Booking) bool {
	if s.Policy.Fit == FitStrict {
		return len(passed) > 0
	}
	return len(passed) >= LookAhead || slices.ContainsFunc(passed, func(b *Booking) bool { return b.Passes >= s.Policy.MaxPasses })
}

// canSeat says whether a newcomer can have seats at once, and which bookings it
// passes. It is asked after promote, so no ready booking fits the free seats.
func (s *Slot) canSeat(b *Booking) (passes []*Booking, served bool) {
	switch {
	case !s.fits(b):
		return nil, false
	case s.WaitlistReady > 0 && (!s.isReadyLoaded() || s.cannotPass(s.ready)):
		return nil, false
	}
	return slices.Clone(s.ready), true
}

// fits says whether enough seats for b are free, and no promotion must come first.
func (s *Slot) fits(b *Booking) bool { return b.minSeats() <= s.Free() && s.PromotionDueAt.IsZero() }

// mayPassUnloaded says whether who may be passed depends on bookings that were not loaded.
func (s *Slot) mayPassUnloaded() bool {
	return s.Policy.Fit == FitFirstFit && !s.isReadyLoaded() && !s.cannotPass(s.ready)
}

// replaced is the booking with seats that b gives back when it gets its own, or
// nil. If the named booking was moved, or replaced itself because another waiting
// booking named it too and was served first, it is the one that took its place.
func (s *State) replaced(b *Booking) *Booking {
	old := s.bookings[b.Replaces]
	for hops := 0; old != nil && old.ReplacedBy != uuid.Nil && hops < MaxReplacements; hops++ {
		old = s.bookings[old.ReplacedBy]
	}
	if old == nil || old == b || !s.canGiveBack(old) {
		return nil
	}
	return old
}

// canGiveBack says whether a booking may still be given back for another one, by
// the rules for its owner. A booking that waits for seats instead of one that may
// not be given back any more is an ordinary one. Where the slot is not locked,
// promote asks again once it is.
func (s *State) canGiveBack(old *Booking) bool {
	slot := s.slots[old.SlotID]
	if !old.Status.TakesSeats() || !s.Now.Before(old.StartsAt) || !old.CheckedInAt.IsZero() {
		return false
	}
	return slot == nil || old.Status != Confirmed || s.Now.Before(slot.CancellationClosesAt(old))
}

// unlockedSlot is the booking's slot, if there is one and the batch did not lock it.
func (s *State) unlockedSlot(b *Booking) uuid.UUID {
	if b != nil && s.slots[b.SlotID] == nil {
		return b.SlotID
	}
	return uuid.Nil
}

// promoteOne gives a waiting booking its seats, or as many as are free: as an offer
// if mustOffer says so, confirmed otherwise. A booking that replaces another is
// always confirmed.
func (s *State) promoteOne(slot *Slot, b *Booking, passed []*Booking) {
	cause := slot.cause()
	b.Seats = min(b.Seats, slot.Free())
	if slot.mustOffer(b, s.Now) && s.replaced(b) == nil {
		s.transition(b, Offered, KindOffered, System(""), cause)
	} else {
		s.transition(b, Confirmed, KindPromoted, System(""), cause)
	}
	promotion := Cause{slot.ID, slot.Version}
	s.giveBack(b)
	s.notePassed(passed, promotion)
}

// giveBack cancels the booking that b replaces, now that b is confirmed. b's last
// entry is the cause.
func (s *State) giveBack(b *Booking) {
	old := s.replaced(b)
	if b.Status != Confirmed || old == nil {
		return
	}
	old.ReplacedBy = b.ID
	s.transition(old, Cancelled, KindCancelled, System("upgraded"), Cause{b.SlotID, b.Version})
}

// notePassed records that somebody else was served before each of these bookings.
func (s *State) notePassed(passed []*Booking, cause Cause) {
	for _, b := range passed {
		b.Passes++
		s.record(s.slots[b.SlotID], b, KindPassed, System(fmt.Sprintf("fewer than %s were free", fault.Count(b.minSeats(), "seat"))), cause)
	}
}
