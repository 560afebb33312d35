package seating

import "eventbooking/internal/fault"

// Hold keeps seats for a while, to be confirmed. It never waits: it gets seats
// where a booking would get them at once, or none. The refusals are those of Book,
// fault.HoldLimit and fault.HoldCooldown.
type Hold struct{ Book }

func (c Hold) Needs() Needs {
	n := c.Book.Needs()
	n.Holders = n.Users
	n.Holds = n.Wanted
	return n
}

func (c Hold) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	c.IfFull = Reject
	s.expireDue(slot)
	if err := c.checkAdmissible(s, slot); err != nil {
		return Result{}, err
	}
	if slot.Started(s.Now) {
		return Result{}, atVersion(slot, fault.SlotStarted.New("The slot has started: its seats can be booked, but no longer held."))
	}
	if held := s.held[c.UserID]; held+c.Seats > maxHeld {
		return Result{}, atVersion(slot, fault.HoldLimit.Newf("You hold %s; the limit is %d.", fault.Count(held, "seat"), maxHeld).With(fault.Members{Held: new(held), Limit: new(maxHeld)}))
	}
	length, err := s.holdFor(slot, UserSlot{c.UserID, slot.ID})
	if err != nil {
		return Result{}, err
	}
	promoted, _ := s.promote(slot)
	d, err := c.decide(s, slot)
	if err != nil {
		return Result{}, err
	}
	d.b.ExpiresAt = slot.deadline(s.Now, length)
	s.seatNewcomer(d.b, Held, KindHeld, d.passed, c.By, Cause{})
	return Result{Slot: *slot, Booking: *d.b, Promoted: promoted}, nil
}
