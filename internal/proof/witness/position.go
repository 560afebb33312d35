package witness

import (
	"github.com/google/uuid"

	"eventbooking/internal/proof/spec"
)

// position is where an operation stands among the versions: after the entry from
// and before the one after to, at any of which its answer was true.
type position struct{ from, to int64 }

// position puts every operation where its answer says. One without an answer may
// stand anywhere, and so may an edit whose revision was out of date before the
// slot was looked at.
func (c *check) position() *Violation {
	c.positions = make([]position, len(c.Operations))
	for i, o := range c.Operations {
		version := o.Saw.Version
		switch {
		case version == 0 && (o.Ending == Untouched || o.Ending == Unknown || o.Saw.Code == spec.VersionMismatch):
			c.positions[i] = position{0, never}
			continue
		case version < 1 || version > int64(len(c.Entries)):
			return c.wrong(int64(len(c.Entries)), i, "%s says version %d, and the ledger ends with %d", o.Verb, version, len(c.Entries))
		}
		c.positions[i] = position{version, version}
		if !o.showsBooking() {
			continue
		}
		if e := c.Entries[version-1]; e.Booking != o.Saw.Booking {
			return c.wrong(version, i, "%s says that entry %d is of booking %s", o.Verb, version, o.Saw.Booking)
		}
		// What is shown of a booking stays true until the booking changes. What made
		// the booking can only have happened once.
		if !o.Verb.Makes() {
			c.positions[i].to = c.life[version-1].next - 1
		}
	}
	return nil
}

// showsBooking says whether the answer is a booking, as of its last change.
func (o Operation) showsBooking() bool {
	return o.Ending == Done && o.Saw.Booking != uuid.Nil && o.Verb != spec.ReadPosition
}
