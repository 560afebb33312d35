package witness

import "github.com/google/uuid"

// placed is where an operation stands among the versions: after the entry from
// and before the one after to, at any of which its answer was true.
type placed struct{ from, to int64 }

// place puts every operation where its answer says. One without an answer may
// stand anywhere, and so may an edit whose revision was out of date before the
// slot was looked at.
func (c *check) place() *Violation {
	c.placed = make([]placed, len(c.Operations))
	for i, o := range c.Operations {
		version := o.Saw.Version
		switch {
		case version == 0 && (o.Ending == Untouched || o.Ending == Unknown || o.Saw.Code == "version_mismatch"):
			c.placed[i] = placed{0, never}
			continue
		case version < 1 || version > int64(len(c.Entries)):
			return c.wrong(int64(len(c.Entries)), i, "%s says version %d, and the ledger ends with %d", o.Deed, version, len(c.Entries))
		}
		c.placed[i] = placed{version, version}
		if !o.showsBooking() {
			continue
		}
		if e := c.Entries[version-1]; e.Booking != o.Saw.Booking {
			return c.wrong(version, i, "%s says that entry %d is of booking %s", o.Deed, version, o.Saw.Booking)
		}
		// What is shown of a booking stays true until the booking changes. What made
		// the booking can only have happened once.
		if !o.Deed.makes() {
			c.placed[i].to = c.life[version-1].next - 1
		}
	}
	return nil
}

// showsBooking says whether the answer is a booking, as of its last change.
func (o Operation) showsBooking() bool {
	return o.Ending == Done && o.Saw.Booking != uuid.Nil && o.Deed != ReadPosition
}
