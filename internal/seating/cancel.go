package seating

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Cancel ends a booking for good: it gives its seats back, or leaves the queue.
// Cancelling twice changes nothing. Refusals: fault.NotFound,
// fault.CancellationWindowClosed and, for an expired booking, fault.InvalidTransition.
type Cancel struct {
	SlotID, BookingID uuid.UUID
	UserID            uuid.UUID // whose booking it is
	By                Actor
}

func (c Cancel) Needs() Needs { return needsOfBooking(c.SlotID, c.BookingID, c.UserID) }

func (c Cancel) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID)
	if err != nil {
		return Result{}, err
	}
	if b.Status.Live() {
		if err := s.checkReturnable(slot, b, c.By); err != nil {
			return Result{}, err
		}
		s.transition(b, Cancelled, KindCancelled, c.By, Cause{})
	} else if b.Status != Cancelled {
		return Result{}, atVersion(slot, errInvalidTransition(b, Cancelled))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// checkReturnable refuses attendees who give confirmed seats back after cancelling
// has closed. Leaving the queue is possible at any time, and so is everything for
// organizers and administrators.
func (s *State) checkReturnable(slot *Slot, b *Booking, by Actor) error {
	closes := slot.CancellationClosesAt(b)
	if by.Role != ActorAttendee || b.Status != Confirmed || s.Now.Before(closes) {
		return nil
	}
	return atVersion(slot, fault.CancellationWindowClosed.
		Newf("Cancelling closed at %s.", closes.UTC().Format(time.RFC3339)).
		With(fault.Members{ClosedAt: new(closes.UTC())}))
}

// errInvalidTransition refuses a change to a status that cannot follow the present one.
func errInvalidTransition(b *Booking, to Status) *fault.Error {
	return fault.InvalidTransition.Newf("The booking is %s.", b.Status).With(fault.Members{From: new(string(b.Status)), To: new(string(to))})
}
