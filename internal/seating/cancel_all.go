package seating

import (
	"slices"

	"github.com/google/uuid"
)

// CancelAllBookings cancels one page of the live bookings of a slot that was
// cancelled, or whose event was, and promotes nobody. Result.More says that
// bookings are left. In any other slot it changes nothing. The only refusal is
// fault.NotFound.
type CancelAllBookings struct{ SlotID uuid.UUID }

func (c CancelAllBookings) Needs() Needs {
	return Needs{Slots: []uuid.UUID{c.SlotID}, CancelsAll: true, ChangesSpan: true}
}

func (c CancelAllBookings) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	if slot.EventStatus == EventCancelled && slot.Status != SlotCancelled {
		s.setStatus(slot, SlotCancelled, KindEventCancelled, System(slot.CancelledBecause))
	}
	if slot.Status != SlotCancelled {
		return Result{Slot: *slot}, nil
	}
	cause := slot.cause()
	for _, b := range s.liveBookings(slot) {
		s.transition(b, Cancelled, KindCancelled, System(slot.CancelledBecause), cause)
	}
	return Result{Slot: *slot, More: slot.SeatsTaken > 0 || slot.WaitlistLength > 0}, nil
}

// liveBookings are the live bookings of the slot that were loaded, oldest first.
func (s *State) liveBookings(slot *Slot) []*Booking {
	var page []*Booking
	for _, b := range s.bookings {
		if b.SlotID == slot.ID && b.Status.Live() {
			page = append(page, b)
		}
	}
	slices.SortFunc(page, func(a, b *Booking) int { return compareIDs(a.ID, b.ID) })
	return page
}
