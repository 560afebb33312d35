package seating

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// transition changes a booking's status. Nothing else does: it keeps the slot's
// counters and lists consistent with the status, and writes the entry.
func (s *State) transition(b *Booking, to Status, kind Kind, by Actor, cause Cause) {
	slot, from := s.slots[b.SlotID], b.Status
	s.uncount(slot, b)
	b.Status = to
	switch {
	case to.TakesSeats():
		slot.SeatsTaken += b.Seats
		if to == Offered {
			b.ExpiresAt = slot.deadline(s.Now, slot.Policy.OfferFor)
			slot.timed = append(slot.timed, b)
		}
	case !to.Live():
		delete(s.live, UserSlot{b.UserID, b.SlotID})
	}
	s.record(slot, b, kind, by, cause)

	switch {
	case to.TakesSeats() && !from.TakesSeats():
		s.noteSeated(b)
	case !to.TakesSeats() && from.TakesSeats():
		s.noteUnseated(b)
		slot.noteFreed(s.Now)
	case from == Waitlisted:
		slot.noteReordered(s.Now)
	}
}

// uncount takes a booking out of its slot's counters and lists, and forgets what
// belongs to its present status.
func (s *State) uncount(slot *Slot, b *Booking) {
	switch {
	case b.Status.TakesSeats():
		slot.SeatsTaken -= b.Seats
		slot.timed = without(slot.timed, b)
		if b.Status == Held && s.Quotas.Holds > 0 {
			s.AddHold(UserSlot{b.UserID, b.SlotID}, Span{b.CreatedAt, earlier(b.ExpiresAt, s.Now)})
		}
		if b.Status == Held && (s.created[b.ID] || !b.isDue(s.Now)) { // Holds that were due when loaded are not in held.
			s.held[b.UserID] -= b.Seats
		}
	case b.Ready():
		slot.WaitlistLength--
		slot.removeReady(b)
	case b.Status == Waitlisted:
		slot.WaitlistLength--
		slot.blocked = without(slot.blocked, b)
	}
	b.ExpiresAt, b.Blocked, b.BlockedBy = time.Time{}, NotBlocked, uuid.Nil
	b.CheckedInAt, b.CheckedInBy = time.Time{}, uuid.Nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// noteSeated notes that the user has seats at the booking's time.
func (s *State) noteSeated(b *Booking) {
	s.seated[b.UserID] = append(s.seated[b.UserID], b)
	s.promoteBehind(b)
}

// promoteBehind requests promotions where the same user waits at an overlapping
// time. Each of these waits is now blocked, and must not hold up those behind it.
func (s *State) promoteBehind(b *Booking) {
	for _, w := range s.waits[b.UserID] {
		if w.SlotID != b.SlotID && b.overlaps(w.StartsAt, w.EndsAt) {
			s.requestPromotion(w.SlotID)
		}
	}
}

// noteUnseated notes that the user is free at the booking's time, and requests
// promotions for the waiting bookings that it blocked.
func (s *State) noteUnseated(b *Booking) {
	s.seated[b.UserID] = slices.DeleteFunc(s.seated[b.UserID], func(o *Booking) bool { return o == b })
	s.promoteBlockedBy(b)
}

// promoteBlockedBy requests promotions where the booking blocks one that waits: it may
// not do so any more.
func (s *State) promoteBlockedBy(b *Booking) {
	for _, slotID := range s.blocks[b.ID] {
		s.requestPromotion(slotID)
	}
}

// seatNewcomer gives a newcomer seats, and notes which bookings that passed.
func (s *State) seatNewcomer(b *Booking, to Status, kind Kind, passed []*Booking, by Actor, cause Cause) {
	slot := s.slots[b.SlotID]
	b.Status = to
	slot.SeatsTaken += b.Seats
	if to == Held {
		s.held[b.UserID] += b.Seats
	}
	s.record(slot, b, kind, by, cause)
	s.create(b)
	s.promoteBehind(b)
	s.notePassed(passed, Cause{slot.ID, slot.Version})
}

// enqueueNewcomer puts a newcomer at the end of the queue.
func (s *State) enqueueNewcomer(b *Booking, by Actor) {
	s.enqueue(b, KindWaitlisted, by)
	s.create(b)
}

// enqueue gives a booking the last position in the queue.
func (s *State) enqueue(b *Booking, kind Kind, by Actor) {
	slot := s.slots[b.SlotID]
	b.Status, b.QueuedVersion, b.Passes = Waitlisted, slot.Version+1, 0
	slot.WaitlistLength++
	slot.addReady(b)
	s.record(slot, b, kind, by, Cause{})
}

// block takes a booking out of the ready queue; it keeps its position.
func (s *State) block(b *Booking, why Block, blocker uuid.UUID) {
	slot := s.slots[b.SlotID]
	slot.removeReady(b)
	b.Blocked, b.BlockedBy = why, blocker
	slot.blocked = append(slot.blocked, b)
	s.record(slot, b, KindBlocked, System(string(why)), Cause{})
	if slot.FreedVersion == 0 {
		// Nothing was freed so far: this block is the cause of the next promotion.
		slot.FreedVersion = slot.Version
	}
}

// unblock puts a booking back into the ready queue, at its position.
func (s *State) unblock(b *Booking, cause Cause) {
	slot := s.slots[b.SlotID]
	slot.blocked = without(slot.blocked, b)
	b.Blocked, b.BlockedBy = NotBlocked, uuid.Nil
	slot.addReady(b)
	s.record(slot, b, KindUnblocked, System(""), cause)
	slot.noteFreed(s.Now)
}

// record appends an entry to the slot's ledger: what was just done to the slot and,
// unless b is nil, to a booking.
func (s *State) record(slot *Slot, b *Booking, kind Kind, by Actor, cause Cause) {
	slot.Version++
	slot.UpdatedAt = s.Now
	e := Entry{
		SlotID: slot.ID, Version: slot.Version, Kind: kind,
		Capacity: slot.Capacity, SeatsTaken: slot.SeatsTaken, WaitlistLength: slot.WaitlistLength,
		By: by, Cause: cause, At: s.Now,
	}
	if b != nil {
		b.Version, b.UpdatedAt = slot.Version, s.Now
		e.BookingID, e.UserID, e.Seats, e.Status = b.ID, b.UserID, b.Seats, b.Status
	}
	s.entries = append(s.entries, e)
	s.noteChange(b, by)
	s.changed.note(slot, b)
}
