package seating

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Cancel ends a booking for good: it gives seats back, or leaves the queue.
type Cancel struct {
	SlotID, BookingID uuid.UUID
	UserID            uuid.UUID // whose booking it is
	By                By
}

func (c Cancel) needs() needs { return ofBooking(c.SlotID, c.BookingID, c.UserID) }

func (c Cancel) apply(s *State) (Result, error) {
	slot, b, err := s.named(c.SlotID, c.BookingID)
	if err != nil {
		return Result{}, err
	}
	if b.Status.Live() {
		if err := s.returnable(slot, b, c.By); err != nil {
			return Result{}, err
		}
		s.turn(b, Cancelled, KindCancelled, c.By, Cause{})
	} else if b.Status != Cancelled {
		return Result{}, at(slot, transition(b, Cancelled))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// returnable: attendees give confirmed seats back until cancelling closes; they
// may leave the queue, and organizers may cancel, at any time.
func (s *State) returnable(slot *Slot, b *Booking, by By) error {
	closes := slot.CancellationClosesAt()
	if by.Actor != ByAttendee || b.Status != Confirmed || s.Now.Before(closes) {
		return nil
	}
	return at(slot, fault.CancellationWindowClosed.
		Newf("Cancelling closed at %s.", closes.UTC().Format(time.RFC3339)).
		With("closed_at", closes.UTC()))
}

// transition is the refusal of a step that a booking's life does not have.
func transition(b *Booking, to Status) *fault.Error {
	return fault.InvalidTransition.Newf("The booking is %s.", b.Status).With("from", b.Status).With("to", to)
}
