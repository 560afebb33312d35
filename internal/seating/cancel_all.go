package seating

import (
	"slices"

	"github.com/google/uuid"
)

// CancelAllBookings cancels one page of the live bookings of a slot that was
// cancelled, or whose event was, and promotes nobody. Bookings that were final when
// it was cancelled stay, and so does a slot that had ended when its event was
// cancelled. Result.More says that bookings may be left. In any other slot it
// changes nothing. The only refusal is fault.NotFound.
type CancelAllBookings struct{ SlotID uuid.UUID }

func (c CancelAllBookings) Needs() Needs {
	return Needs{Slots: []uuid.UUID{c.SlotID}, CancelsAll: true, ChangesSpan: true}
}

func (c CancelAllBookings) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	if slot.isCancelled() && slot.Status != SlotCancelled {
		s.setStatus(slot, SlotCancelled, KindEventCancelled, System(slot.CancelledBecause))
	}
	if slot.Status != SlotCancelled {
		return Result{Slot: *slot}, nil
	}
	cause, page := slot.cause(), s.cancelledBookings(slot)
	for _, b := range page {
		s.transition(b, Cancelled, KindCancelled, System(slot.CancelledBecause), cause)
	}
	return Result{Slot: *slot, More: len(page) >= CancelPage}, nil
}

// cancelledBookings are the loaded bookings that end with the slot, oldest first.
func (s *State) cancelledBookings(slot *Slot) []*Booking {
	asOf := slot.CancelledAt
	if asOf.IsZero() { // The previous version cancelled it and does not know the column.
		asOf = s.Now
	}
	var page []*Booking
	for _, b := range s.bookings {
		if b.SlotID == slot.ID && b.Status.Live() && !b.isFinal(asOf) {
			page = append(page, b)
		}
	}
	slices.SortFunc(page, func(a, b *Booking) int { return compareIDs(a.ID, b.ID) })
	return page
}
