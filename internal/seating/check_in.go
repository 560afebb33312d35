package seating

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// CheckIn records that an attendee has arrived and who says so, or undoes that, until
// checkInCloses after the slot's end. Repeating it changes nothing, and
// Result.Repeated says so. Refusals: fault.NotFound, fault.SlotCancelled,
// fault.CheckInClosed and, unless the booking is confirmed, fault.InvalidTransition.
type CheckIn struct {
	SlotID, BookingID, UserID uuid.UUID
	Undo                      bool
	By                        Actor
}

func (c CheckIn) Needs() Needs { return needsOfBooking(c.SlotID, c.BookingID, c.UserID, c.By) }

func (c CheckIn) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID, c.By)
	switch {
	case err != nil:
		return Result{}, err
	case b.Status != Confirmed:
		return Result{}, atVersion(slot, errInvalidTransition(b, Confirmed))
	case slot.isCancelled():
		return Result{}, atVersion(slot, fault.SlotCancelled.New("The slot was cancelled."))
	case slot.Ended(s.Now.Add(-checkInCloses)):
		return Result{}, atVersion(slot, fault.CheckInClosed.Newf("Attendance could be recorded until %s.", slot.EndsAt.Add(checkInCloses).UTC().Format(time.RFC3339)))
	case c.Undo && !b.CheckedInAt.IsZero():
		b.CheckedInAt, b.CheckedInBy = time.Time{}, uuid.Nil
		s.record(slot, b, KindCheckInUndone, c.By, Cause{})
		s.promoteBlockedBy(b) // It can be given back again for one that it blocks.
	case !c.Undo && b.CheckedInAt.IsZero():
		b.CheckedInAt, b.CheckedInBy = s.Now, c.By.ID
		s.record(slot, b, KindCheckedIn, c.By, Cause{})
	default:
		return Result{Slot: *slot, Booking: *b, Repeated: true}, nil
	}
	return Result{Slot: *slot, Booking: *b}, nil
}
