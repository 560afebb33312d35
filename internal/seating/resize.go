package seating

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Resize changes the number of seats of a booking. A confirmed booking gets more
// seats only if they are free and nobody is ready in the queue; fewer seats are
// given back like a cancellation. A waiting booking keeps its position with fewer
// seats, and rejoins the queue at its end with more; either way, the slot's capacity
// suffices for it then.
//
// Refusals: fault.NotFound, fault.VersionMismatch, fault.InvalidTransition,
// fault.SeatsExceedCapacity, those of Cancel, fault.BookingSeatLimit,
// fault.UserSeatLimit, fault.QuotaExceeded, those of an event or slot that takes no bookings, and
// fault.SlotFull.
type Resize struct {
	SlotID, BookingID, UserID uuid.UUID
	// Version is the booking's version that the caller saw; 0 matches any.
	Version int64
	Seats   int
	// SeatsMin can change while the booking waits; 0 is all or none. With seats it
	// must stay as it is, or be Seats if that is less.
	SeatsMin int
	By       Actor
}

func (c Resize) Needs() Needs {
	n := needsOfBooking(c.SlotID, c.BookingID, c.UserID, c.By)
	// A booking that rejoins the queue may be promoted in the same batch.
	n.Wanted = []UserSlot{{c.UserID, c.SlotID}}
	n.Serves = []uuid.UUID{c.SlotID} // More seats are free only for whom the queue leaves them.
	return n
}

func (c Resize) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID, c.By)
	if err != nil {
		return Result{}, err
	}
	switch {
	case c.Version != 0 && c.Version != b.Version:
		return Result{}, atVersion(slot, fault.VersionMismatch.New("The booking has changed since you read it."))
	case c.Seats == b.Seats && c.SeatsMin == b.SeatsMin:
		return Result{Slot: *slot, Booking: *b}, nil
	case !b.Status.Live(),
		b.Status != Waitlisted && c.SeatsMin != min(b.SeatsMin, c.Seats), // it cannot stay above the seats
		c.Seats > b.Seats && (b.Status == Held || b.Status == Offered):
		return Result{}, atVersion(slot, fault.InvalidTransition.Newf("The seats of a booking that is %s cannot change this way.", b.Status).
			With(fault.Members{From: new(string(b.Status)), To: new(string(b.Status))}))
	case c.Seats > slot.Capacity:
		return Result{}, atVersion(slot, slot.errSeatsExceedCapacity())
	}
	if err := checkNotFinal(slot, b, s.Now); err != nil {
		return Result{}, err
	}
	if err := c.checkAsked(s, slot, b); err != nil {
		return Result{}, err
	}
	if b.Status == Waitlisted {
		c.resizeWaiting(s, slot, b)
	} else if err := c.resizeSeated(s, slot, b); err != nil {
		return Result{}, err
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// checkAsked checks quotas and limits, unless seats are given back.
func (c Resize) checkAsked(s *State, slot *Slot, b *Booking) error {
	if c.Seats < b.Seats {
		return nil
	}
	if err := s.checkChanges(slot, UserSlot{b.UserID, slot.ID}, c.By); err != nil || c.Seats == b.Seats {
		return err
	}
	asked := *b
	asked.Seats = c.Seats
	return s.checkLimits(slot, asked)
}

func (c Resize) resizeWaiting(s *State, slot *Slot, b *Booking) {
	actor, more := c.actor(b), c.Seats > b.Seats
	if more {
		s.uncount(slot, b)
	}
	b.Seats, b.SeatsMin = c.Seats, c.SeatsMin
	if more {
		s.enqueue(b, KindResized, actor)
	} else {
		s.record(slot, b, KindResized, actor, Cause{})
	}
	if b.Blocked == BlockedCapacity { // The capacity suffices now: apply has checked that.
		s.unblock(b, Cause{slot.ID, slot.Version})
	}
	slot.noteReordered(s.Now)
}

func (c Resize) resizeSeated(s *State, slot *Slot, b *Booking) error {
	actor, more := c.actor(b), c.Seats-b.Seats
	if err := s.checkResizable(slot, b, more, c.By); err != nil {
		return err
	}
	if b.Status == Held {
		s.held[b.UserID] += more
	}
	slot.SeatsTaken += more
	b.Seats, b.SeatsMin = c.Seats, min(c.SeatsMin, c.Seats)
	s.record(slot, b, KindResized, actor, Cause{})
	if more < 0 {
		slot.noteFreed(s.Now)
	}
	return nil
}

// checkResizable checks fewer seats like a cancellation, and more seats like a new
// booking ahead of which nobody may wait. Whether booking has opened yet does not
// matter: the attendee has booked already.
func (s *State) checkResizable(slot *Slot, b *Booking, more int, by Actor) error {
	if more <= 0 {
		return s.checkReturnable(slot, b, by)
	}
	if err := slot.checkOpen(s.Now); err != nil && !errors.Is(err, fault.BookingNotOpen) {
		return err
	}
	s.promote(slot)
	if more > slot.Free() || slot.WaitlistReady > 0 {
		return atVersion(slot, slot.errSlotFull(more, s.Now))
	}
	return nil
}

// actor is who resizes the booking, with what changes as the reason.
func (c Resize) actor(b *Booking) Actor {
	if c.Seats == b.Seats {
		return c.By
	}
	return c.By.withReason(fmt.Sprintf("seats %d to %d", b.Seats, c.Seats))
}
