package seating

import (
	"slices"

	"github.com/google/uuid"
)

// Expire ends holds and offers that are due, and all waiting bookings once the
// slot has started, and serves the queue. Every other command of the slot expires
// what is due first, so nothing depends on when Expire runs. The only refusal is
// fault.NotFound.
type Expire struct{ SlotID uuid.UUID }

func (c Expire) Needs() Needs {
	return Needs{Slots: []uuid.UUID{c.SlotID}, Serves: []uuid.UUID{c.SlotID}, Frees: true}
}

func (c Expire) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	s.expireDue(slot)
	promoted, done := s.promote(slot)
	more := !done || slot.Started(s.Now) && slot.WaitlistLength > 0
	return Result{Slot: *slot, Promoted: promoted, More: more}, nil
}

// expireDue expires what is due among the loaded bookings.
func (s *State) expireDue(slot *Slot) {
	for _, b := range slices.Clone(slot.timed) {
		if b.isDue(s.Now) {
			s.transition(b, Expired, KindExpired, System("the "+map[Status]string{Held: "hold", Offered: "offer"}[b.Status]+" expired"), Cause{})
		}
	}
	if slot.Started(s.Now) {
		for _, b := range slices.Concat(slot.ready, slot.blocked) {
			s.transition(b, Expired, KindExpired, System("the slot started"), Cause{})
		}
	}
}
