package seating

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Resize changes for how many seats a booking is. More seats with them in hand
// must be free and wanted by nobody who waits. Who waits with fewer keeps the
// place; with more, it rejoins at the end.
type Resize struct {
	SlotID, BookingID, UserID uuid.UUID
	// Version is the booking's that the caller saw; 0 is any.
	Version int64
	Seats   int
	// SeatsMin is for those who wait: 0 is all or none. Others keep theirs.
	SeatsMin int
	By       Actor
}

func (c Resize) Needs() Needs {
	n := needsOfBooking(c.SlotID, c.BookingID, c.UserID)
	// Rejoining, it may be promoted in the same batch.
	n.Wanted = []UserSlot{{c.UserID, c.SlotID}}
	return n
}

func (c Resize) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID)
	if err != nil {
		return Result{}, err
	}
	switch {
	case c.Version != 0 && c.Version != b.Version:
		return Result{}, atVersion(slot, fault.VersionMismatch.New("The booking has changed since you read it."))
	case !b.Status.Live(),
		b.Status != Waitlisted && c.SeatsMin != min(b.SeatsMin, c.Seats), // it follows the seats down
		c.Seats > b.Seats && (b.Status == Held || b.Status == Offered):
		return Result{}, atVersion(slot, fault.InvalidTransition.Newf("The seats of a booking that is %s cannot be changed this way.", b.Status).
			With(fault.Members{From: new(string(b.Status)), To: new(string(b.Status))}))
	case c.Seats > slot.Capacity:
		return Result{}, atVersion(slot, fault.SeatsExceedCapacity.Newf("The slot has %s in total.", fault.Count(slot.Capacity, "seat")).With(fault.Members{Capacity: new(slot.Capacity)}))
	case c.Seats == b.Seats && c.SeatsMin == b.SeatsMin:
		return Result{Slot: *slot, Booking: *b}, nil
	}
	if b.Status == Waitlisted {
		c.resizeWaiting(s, slot, b)
	} else if err := c.resizeSeated(s, slot, b); err != nil {
		return Result{}, err
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

func (c Resize) resizeWaiting(s *State, slot *Slot, b *Booking) {
	by, more := c.by(b), c.Seats > b.Seats
	if b.Blocked == BlockedCapacity {
		s.requestPromotion(slot.ID) // It may fit now.
	}
	if more {
		s.uncount(slot, b)
	}
	b.Seats, b.SeatsMin = c.Seats, c.SeatsMin
	if more {
		s.enqueue(b, KindResized, by)
	} else {
		s.record(slot, b, KindResized, by, Cause{})
	}
	slot.noteFreed(s.Now)
}

func (c Resize) resizeSeated(s *State, slot *Slot, b *Booking) error {
	by, more := c.by(b), c.Seats-b.Seats
	if err := s.checkResizable(slot, b, more, c.By); err != nil {
		return err
	}
	if b.Status == Held {
		s.held[b.UserID] += more
	}
	slot.SeatsTaken += more
	b.Seats, b.SeatsMin = c.Seats, min(c.SeatsMin, c.Seats)
	s.record(slot, b, KindResized, by, Cause{})
	if more < 0 {
		slot.noteFreed(s.Now)
	}
	return nil
}

// checkResizable: fewer seats are given back like a cancellation; more are taken like
// a booking that nobody waits before, save that booking may open later only.
func (s *State) checkResizable(slot *Slot, b *Booking, more int, by Actor) error {
	if more <= 0 {
		return s.checkReturnable(slot, b, by)
	}
	if err := slot.checkOpen(s.Now); err != nil && !errors.Is(err, fault.BookingNotOpen) {
		return err
	}
	s.promote(slot)
	if more > slot.Free() || slot.WaitlistReady > 0 {
		return atVersion(slot, slot.errSlotFull(more))
	}
	return nil
}

func (c Resize) by(b *Booking) Actor {
	if c.Seats == b.Seats {
		return c.By
	}
	return c.By.withReason(fmt.Sprintf("%d to %d seats", b.Seats, c.Seats))
}
