package seating

import "eventbooking/internal/fault"

// Hold keeps seats for a while, to be confirmed. It never waits and never jumps
// the queue: it gets seats where a booking would get them at once, or none.
type Hold struct{ Book }

func (c Hold) needs() needs {
	n := c.Book.needs()
	n.holders = n.users
	return n
}

func (c Hold) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	c.IfFull = Reject
	s.expireDue(slot)
	if err := c.admissible(s, slot); err != nil {
		return Result{}, err
	}
	if held := s.held[c.UserID]; held+c.Seats > maxHeld {
		return Result{}, at(slot, fault.HoldLimit.Newf("You hold %d seats; %d are the most.", held, maxHeld).With("held", held).With("limit", maxHeld))
	}
	promoted, _ := s.promote(slot)
	p, err := c.seek(s, slot)
	if err != nil {
		return Result{}, err
	}
	p.b.ExpiresAt = slot.kept(s.Now, slot.Policy.HoldFor)
	s.admit(p.b, Held, KindHeld, p.passed, c.By, Cause{})
	return Result{Slot: *slot, Booking: *p.b, Promoted: promoted}, nil
}
