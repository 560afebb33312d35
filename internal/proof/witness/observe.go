package witness

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"eventbooking/internal/proof/spec"
)

// saw compares an answer with the slot at the version that it carries, which is
// that of the entry e.
func (c *check) saw(m *spec.Model, op int, e Entry) error {
	o := c.Operations[op]
	switch {
	case o.Ending == Refused:
		return c.sawRefusal(m, o)
	case o.Verb == spec.ReadPosition:
		return c.sawPosition(m, o)
	case o.Verb == spec.ReadSlot || o.Verb.Leaves(spec.KindEdited):
		return sawSlot(m, o)
	}
	return c.sawBooking(m, o, e, c.effect[op])
}

// sawSlot: the counters are the slot's; after an edit, the capacity is as asked.
func sawSlot(m *spec.Model, o Operation) error {
	s := &m.Slots[0]
	is := Observation{Version: int64(s.Version), Capacity: s.Capacity, Taken: s.Taken(), Free: s.Available(), Waiting: len(s.Queue), Revision: s.Revision}
	switch {
	case o.Saw != is:
		return fmt.Errorf("the slot is %s", is)
	case o.Verb == spec.EditCapacity && s.Capacity != o.Seats:
		return fmt.Errorf("the capacity is %d", s.Capacity)
	}
	return nil
}

// sawBooking: the booking is as its last entry left it, and as the request wants it.
func (c *check) sawBooking(m *spec.Model, o Operation, e Entry, effect int64) error {
	b, _ := m.Booking(c.number(o.Saw.Booking))
	waiting := len(m.Slots[0].Queue)
	becomes := o.Verb.Becomes()
	switch {
	case o.Booking != uuid.Nil && c.number(o.Booking) != b.Number, c.person(o.User) != b.Person:
		return errors.New("the answer is about another booking")
	case o.Saw.Status != b.Status, o.Saw.Seats != b.Seats, o.Saw.Least != b.Least, o.Saw.Blocked != b.Blocked:
		return fmt.Errorf("the booking is %s with %d seats (at least %d, blocked: %t)", b.Status, b.Seats, b.Least, b.Blocked)
	case (o.Saw.Position != 0) != (b.Status == spec.Waitlisted):
		return fmt.Errorf("a booking that is %s has position %d in the queue", b.Status, o.Saw.Position)
	case o.Verb.Makes() && effect != e.Version:
		return fmt.Errorf("entry %d is not its effect", e.Version)
	case o.Verb == spec.Book && b.Status == spec.Waitlisted && o.Saw.Position != waiting:
		return fmt.Errorf("the newcomer is at position %d", waiting)
	case o.Verb == spec.Resize && effect == 0 && b.Seats != o.Seats:
		return fmt.Errorf("the booking has %d seats", b.Seats)
	case becomes != 0 && b.Status != becomes:
		return fmt.Errorf("the booking is %s", b.Status)
	}
	return nil
}

// sawPosition: the position in the queue, and what is ahead of it.
func (c *check) sawPosition(m *spec.Model, o Operation) error {
	s := &m.Slots[0]
	b, known := m.Booking(c.number(o.Booking))
	if !known || b.Person != c.person(o.User) {
		return errors.New("the user has no such booking")
	}
	is := Observation{Version: int64(s.Version), Booking: o.Booking, Status: b.Status, Free: s.Available()}
	is.Blocked, _ = m.Hindered(b)
	if b.Status == spec.Waitlisted {
		ahead := m.Ahead(b)
		is.Position, is.BookingsAhead, is.Passes = m.Position(b), len(ahead), b.Passes
		readySeats := 0
		for _, other := range ahead {
			is.SeatsAhead += other.Seats
			if hindered, _ := m.Hindered(other); !hindered {
				readySeats += other.Seats
			}
		}
		is.SeatsNeeded = max(0, readySeats+b.Needs()-s.Free())
	} else {
		is.Passes = o.Saw.Passes // of a wait that is over
	}
	if o.Saw != is {
		return fmt.Errorf("the position is %s", is)
	}
	return nil
}

// sawRefusal: the specification refuses, too, for the same reason. A refusal
// changes nothing, so it may be asked.
func (c *check) sawRefusal(m *spec.Model, o Operation) error {
	b, _ := m.Booking(c.number(o.Booking))
	if o.Saw.Code == spec.SlotFull || o.Saw.Code == spec.WaitlistFull {
		if err := m.Undecided(0); err != nil {
			return fmt.Errorf("refused before the queue was served: %w", err)
		}
	}
	want := m.Do(c.request(o))
	switch {
	case want.Code == "":
		return fmt.Errorf("%s is no refusal of this: it can be done", o.Saw.Code)
	case want.Code != o.Saw.Code:
		return fmt.Errorf("%s is no refusal of this: it should be %s", o.Saw.Code, want.Code)
	case want.Names != spec.None && c.number(o.Saw.Booking) != want.Names:
		return errors.New("the user has another booking")
	case o.Saw.Status != 0 && o.Saw.Status != b.Status:
		return fmt.Errorf("the booking is %s", b.Status)
	}
	return nil
}

// request is an operation as the specification has it.
func (c *check) request(o Operation) spec.Request {
	r := spec.Request{Verb: o.Verb, Who: c.person(o.User), Booking: c.number(o.Booking), Seats: o.Seats, Least: o.Least,
		Wait: o.Waits, Replaces: spec.None, Capacity: o.Seats, Revision: o.Revision}
	switch o.Verb {
	case spec.Resize:
		r.Least = spec.None
	case spec.EditCapacity, spec.EditRules:
		r.Who, r.Rules = spec.Organizer, o.Rules
	}
	return r
}
