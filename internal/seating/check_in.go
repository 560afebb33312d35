package seating

import (
	"time"

	"github.com/google/uuid"
)

// CheckIn records that an attendee has arrived and who says so, or undoes that.
// Repeating it changes nothing, and Result.Repeated says so. Refusals: fault.NotFound and, unless the booking is confirmed,
// fault.InvalidTransition.
type CheckIn struct {
	SlotID, BookingID, UserID uuid.UUID
	Undo                      bool
	By                        Actor
}

func (c CheckIn) Needs() Needs { return needsOfBooking(c.SlotID, c.BookingID, c.UserID) }

func (c CheckIn) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID)
	switch {
	case err != nil:
		return Result{}, err
	case b.Status != Confirmed:
		return Result{}, atVersion(slot, errInvalidTransition(b, Confirmed))
	case c.Undo && !b.CheckedInAt.IsZero():
		b.CheckedInAt, b.CheckedInBy = time.Time{}, uuid.Nil
		s.record(slot, b, KindCheckInUndone, c.By, Cause{})
	case !c.Undo && b.CheckedInAt.IsZero():
		b.CheckedInAt, b.CheckedInBy = s.Now, c.By.ID
		s.record(slot, b, KindCheckedIn, c.By, Cause{})
	default:
		return Result{Slot: *slot, Booking: *b, Repeated: true}, nil
	}
	return Result{Slot: *slot, Booking: *b}, nil
}
