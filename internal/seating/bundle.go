package seating

import (
	"errors"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Bundle books several slots for one user: all are confirmed, or none is.
type Bundle struct {
	// Items are of different slots, 1 to MaxBundle of them.
	Items []Book
}

func (c Bundle) Needs() Needs {
	var n Needs
	for _, item := range c.Items {
		one := item.Needs()
		n.Slots = append(n.Slots, one.Slots...)
		n.Users = append(n.Users, one.Users...)
		n.Wanted = append(n.Wanted, one.Wanted...)
	}
	return n
}

// apply checks every item before it changes anything for one of them.
func (c Bundle) apply(s *State) (Result, error) {
	if err := c.apart(s); err != nil {
		return Result{}, err
	}
	for i, item := range c.Items {
		if err := item.ready(s); err != nil {
			return Result{}, inItem(err, i, item.SlotID)
		}
	}
	var all Result
	var decisions []decision
	for i, item := range c.Items {
		item.IfFull = Reject // A bundle never waits.
		p, err := item.decide(s, s.slots[item.SlotID])
		if err != nil {
			return Result{}, inItem(err, i, item.SlotID)
		}
		decisions = append(decisions, p)
	}
	for i, p := range decisions {
		s.seatNewcomer(p.b, Confirmed, KindConfirmed, p.passed, c.Items[i].By, Cause{})
		all.Items = append(all.Items, Result{Slot: *p.slot, Booking: *p.b})
	}
	all.Slot, all.Booking = all.Items[0].Slot, all.Items[0].Booking
	return all, nil
}

// ready brings the item's slot to rest and checks what does not depend on seats.
func (c Book) ready(s *State) error {
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

// apart refuses items whose times overlap, before anything else: no change of
// the slots would help.
func (c Bundle) apart(s *State) error {
	for i, item := range c.Items {
		slot := s.slots[item.SlotID]
		for j, earlier := range c.Items[:i] {
			o := s.slots[earlier.SlotID]
			if slot != nil && o != nil && o.StartsAt.Before(slot.EndsAt) && slot.StartsAt.Before(o.EndsAt) {
				return atVersion(slot, fault.BookingOverlap.New("Two items are at overlapping times.").
					With(fault.Members{BookingIDs: []uuid.UUID{}, Items: []int{j, i}}))
			}
		}
	}
	return nil
}

// inItem names the item that was refused.
func inItem(err error, i int, slotID uuid.UUID) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.With(fault.Members{Item: new(i), SlotID: new(slotID)})
	}
	return err
}
