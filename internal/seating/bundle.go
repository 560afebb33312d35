package seating

import (
	"errors"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Bundle books several slots for one user: all are confirmed, or none is. The
// refusals are those of Book; they name the item.
type Bundle struct {
	// Items are 1 to MaxBundle bookings of different slots.
	Items []Book
}

func (c Bundle) Needs() Needs {
	var n Needs
	for _, item := range c.Items {
		one := item.Needs()
		n.Slots = append(n.Slots, one.Slots...)
		n.Users = append(n.Users, one.Users...)
		n.Wanted = append(n.Wanted, one.Wanted...)
		n.Serves = append(n.Serves, one.Serves...)
	}
	return n
}

// apply checks every item before it changes anything for one of them.
func (c Bundle) apply(s *State) (Result, error) {
	if err := c.checkApart(s); err != nil {
		return Result{}, err
	}
	for i, item := range c.Items {
		if err := item.prepare(s); err != nil {
			return Result{}, errOfItem(err, i, item.SlotID)
		}
	}
	var all Result
	var decisions []decision
	for i, item := range c.Items {
		item.IfFull = Reject // A bundle never waits.
		slot := s.slots[item.SlotID]
		d, err := item.decide(s, slot, ofEvent(slot.EventID, decisions)...)
		if err != nil {
			return Result{}, errOfItem(err, i, item.SlotID)
		}
		d.b.Status = Confirmed // It counts for the limits of the items after it.
		decisions = append(decisions, d)
	}
	for i, d := range decisions {
		s.seatNewcomer(d.b, Confirmed, KindConfirmed, d.passed, c.Items[i].By, Cause{})
		all.Items = append(all.Items, Result{Slot: *d.slot, Booking: *d.b})
	}
	all.Slot, all.Booking = all.Items[0].Slot, all.Items[0].Booking
	return all, nil
}

// ofEvent are the bookings of one event that were decided on.
func ofEvent(id uuid.UUID, decisions []decision) (bookings []*Booking) {
	for _, d := range decisions {
		if d.slot.EventID == id {
			bookings = append(bookings, d.b)
		}
	}
	return bookings
}

// prepare checks what does not depend on seats, and serves the slot's queue.
func (c Book) prepare(s *State) error {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return err
	}
	s.expireDue(slot)
	if err := c.checkAdmissible(s, slot); err != nil {
		return err
	}
	s.promote(slot)
	return nil
}

// checkApart refuses items whose times overlap. It comes first, because no free
// seats would help.
func (c Bundle) checkApart(s *State) error {
	for i, item := range c.Items {
		slot := s.slots[item.SlotID]
		for j, earlier := range c.Items[:i] {
			other := s.slots[earlier.SlotID]
			if slot != nil && other != nil && other.StartsAt.Before(slot.EndsAt) && slot.StartsAt.Before(other.EndsAt) {
				return atVersion(slot, fault.BookingOverlap.New("Two items have overlapping times.").
					With(fault.Members{BookingIDs: []uuid.UUID{}, Items: []int{j, i}}))
			}
		}
	}
	return nil
}

// errOfItem adds to a refusal which item it is about.
func errOfItem(err error, i int, slotID uuid.UUID) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.With(fault.Members{Item: new(i), SlotID: new(slotID)})
	}
	return err
}
