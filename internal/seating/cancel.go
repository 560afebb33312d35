package seating

import (
	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Cancel ends a booking for good: it gives seats back, or leaves the queue.
type Cancel struct {
	SlotID, BookingID uuid.UUID
	UserID            uuid.UUID // whose booking it is
	By                By
}

func (c Cancel) needs() needs {
	return needs{
		slots:    []uuid.UUID{c.SlotID},
		users:    []uuid.UUID{c.UserID},
		bookings: []uuid.UUID{c.BookingID},
		frees:    true,
	}
}

func (c Cancel) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	s.expireDue(slot)
	b := s.bookings[c.BookingID]
	if b == nil || b.SlotID != slot.ID {
		return Result{}, fault.NotFound.New("There is no such booking.")
	}
	if b.Status.Live() {
		if err := c.allowed(s, slot, b); err != nil {
			return Result{}, err
		}
		s.turn(b, Cancelled, KindCancelled, c.By, Cause{})
	} else if b.Status != Cancelled {
		return Result{}, at(slot, transition(b, Cancelled))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// allowed: attendees give confirmed seats back until cancelling closes; they may
// leave the queue, and organizers may cancel, at any time.
func (c Cancel) allowed(s *State, slot *Slot, b *Booking) error {
	closes := slot.CancellationClosesAt()
	if c.By.Actor != ByAttendee || b.Status != Confirmed || s.Now.Before(closes) {
		return nil
	}
	return at(slot, fault.CancellationWindowClosed.
		Newf("Cancelling closed at %s.", closes.UTC().Format("2006-01-02T15:04:05Z07:00")).
		With("closed_at", closes.UTC()))
}

// transition is the refusal of a step that a booking's life does not have.
func transition(b *Booking, to Status) *fault.Error {
	return fault.InvalidTransition.Newf("The booking is %s.", b.Status).With("from", b.Status).With("to", to)
}
