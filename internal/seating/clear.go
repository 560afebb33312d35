package seating

import (
	"bytes"
	"slices"

	"github.com/google/uuid"
)

// Clear cancels one page of the bookings of a slot that was cancelled, or whose
// event was. Nobody is promoted: there is nothing left to have.
type Clear struct{ SlotID uuid.UUID }

func (c Clear) needs() needs { return needs{slots: []uuid.UUID{c.SlotID}, clears: true} }

func (c Clear) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	if slot.EventStatus == EventCancelled && slot.Status != SlotCancelled {
		s.restate(slot, SlotCancelled, KindEventCancelled, System(slot.CancelledBecause))
	}
	if slot.Status != SlotCancelled {
		return Result{Slot: *slot}, nil
	}
	cause := Cause{slot.ID, slot.FreedVersion}
	for _, b := range s.clearing(slot) {
		s.turn(b, Cancelled, KindCancelled, System(slot.CancelledBecause), cause)
	}
	return Result{Slot: *slot, More: slot.SeatsTaken > 0 || slot.WaitlistLength > 0}, nil
}

// clearing are the live bookings of the slot that were loaded, oldest first.
func (s *State) clearing(slot *Slot) []*Booking {
	var page []*Booking
	for _, b := range s.bookings {
		if b.SlotID == slot.ID && b.Status.Live() {
			page = append(page, b)
		}
	}
	slices.SortFunc(page, func(a, b *Booking) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return page
}
