package witness

import (
	"errors"
	"fmt"

	"eventbooking/internal/proof/spec"
)

// replay takes the specification through the ledger, and compares with the slot
// at each version what those saw who asked it.
func (c *check) replay() *Violation {
	m := spec.Unopened(c.Rules, spec.Slot{Revision: c.Revision})
	answers := c.byVersion
	for i, e := range c.Entries {
		if err := c.take(m, i); err != nil {
			return c.wrong(e.Version, c.asked[i], "entry %d (%s): %w", e.Version, e.Kind, err)
		}
		for ; len(answers) > 0 && c.Operations[answers[0]].Saw.Version == e.Version; answers = answers[1:] {
			if err := c.saw(m, answers[0], e); err != nil {
				return c.wrong(e.Version, answers[0], "%s at version %d: %w", c.Operations[answers[0]].Verb, e.Version, err)
			}
		}
	}
	err := m.Undecided(0)
	if err == nil {
		err = m.Unblockable(0)
	}
	if err != nil {
		v := c.wrong(int64(len(c.Entries)), none, "at rest: %w", err)
		v.Unfinished = true
		return v
	}
	return nil
}

// take takes the specification through an entry.
func (c *check) take(m *spec.Model, i int) error {
	e := c.Entries[i]
	m.Now = e.At.Sub(c.Entries[0].At)
	s := &m.Slots[0]
	step := spec.Step{Kind: e.Kind, Booking: c.number(e.Booking), Blocker: spec.None, Capacity: e.Capacity, Newcomer: spec.Newcomer{
		Person: c.person(e.User), Seats: e.Seats, Least: spec.None, Replaces: spec.None, MovedFrom: spec.None}}
	if e.System != e.Kind.System() {
		return fmt.Errorf("by the system: %t, should be %t", e.System, e.Kind.System())
	}
	if e.Kind == spec.KindPassed && e.Cause != int64(s.Served()) {
		return fmt.Errorf("entry %d passed the booking", s.Served())
	}
	var o Operation
	if c.asked[i] != none {
		o = c.Operations[c.asked[i]]
	}
	b, known := m.Booking(step.Booking)
	switch {
	case known && b.Person != step.Person:
		return fmt.Errorf("the booking is user %d's", b.Person)
	case o.Verb == spec.EditRules:
		m.Waitlist, m.FirstFit, m.MaxPasses = o.Rules.Waitlist, o.Rules.FirstFit, o.Rules.MaxPasses
	case o.Verb != "" && o.Verb.Makes():
		step.Seats, step.Least = o.Seats, o.Least
		// Other slots cannot matter here: who waits comes first, whatever is asked.
		if err := m.Undecided(0); err != nil {
			return fmt.Errorf("a newcomer is decided on before the queue: %w", err)
		}
		if e.Kind == spec.KindWaitlisted && !o.Waits {
			return errors.New("a newcomer waits who did not want to")
		}
	}
	if err := m.Take(step); err != nil {
		return err
	}
	return matches(m, step.Booking, e)
}

// matches: the entry says what has become of the booking and of the slot.
func matches(m *spec.Model, number int, e Entry) error {
	s := &m.Slots[0]
	b, known := m.Booking(number)
	switch {
	case known && (e.Status != b.Status || e.Seats != b.Seats):
		return fmt.Errorf("it should leave the booking %s with %d seats", b.Status, b.Seats)
	case e.Capacity != s.Capacity, e.Taken != s.Taken(), e.Waiting != len(s.Queue):
		return fmt.Errorf("it should say %d of %d taken, %d wait", s.Taken(), s.Capacity, len(s.Queue))
	}
	return nil
}
