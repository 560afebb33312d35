package witness

import (
	"slices"

	"github.com/google/uuid"

	"eventbooking/internal/proof/spec"
)

// claim traces every effect to the one operation that asked for it. Most answers
// name their entry by its version; what is left is matched: resizes and edits,
// whose answers show the booking or the slot as it is a moment later, when those
// whom an edit unblocks are back in the queue, and requests of which nobody knows
// what became of them.
func (c *check) claim() *Violation {
	c.asked, c.effect = make([]int, len(c.Entries)), make([]int64, len(c.Operations))
	for i := range c.asked {
		c.asked[i] = none
	}
	if v := c.claimNamed(); v != nil {
		return v
	}
	c.claimRest()
	for i, e := range c.Entries {
		if c.asked[i] == none && !e.System && e.Kind != spec.KindOpened {
			return c.wrong(e.Version, none, "nobody asked for entry %d (%s) at that time", e.Version, e.Kind)
		}
	}
	for i, o := range c.Operations {
		if c.effect[i] == 0 && c.mustHave(o) {
			return c.wrong(o.Saw.Version, i, "%s was acknowledged, and no entry is its effect", o.Verb)
		}
	}
	return nil
}

// claimNamed gives entries to the operations that name them. A repetition names
// the entry too, and is none the worse for it; but a booking is made once.
func (c *check) claimNamed() *Violation {
	for _, op := range c.byVersion {
		o := c.Operations[op]
		if o.Ending != Done || o.Verb == spec.Resize || o.Verb.Leaves(spec.KindEdited) || o.Verb.Reads() || !c.mayAsk(op, o.Saw.Version) {
			continue
		}
		if other := c.asked[o.Saw.Version-1]; other == none {
			c.asked[o.Saw.Version-1], c.effect[op] = op, o.Saw.Version
		} else if o.Verb.Makes() {
			return c.wrong(o.Saw.Version, op, "entry %d was acknowledged to two: %s", o.Saw.Version, c.Operations[other])
		}
	}
	return nil
}

// mustHave says whether an operation must have had an effect of its own, because
// what it was told would not be so without.
func (c *check) mustHave(o Operation) bool {
	return o.Ending == Done && (o.Verb.Makes() || o.Verb == spec.Resize && o.Saw.Seats != o.Seats)
}

// mayAsk says whether an entry can be the effect of an operation: it is of the
// kind, of the booking, and between call and return.
func (c *check) mayAsk(op int, version int64) bool {
	o, e, first := c.Operations[op], c.Entries[version-1], c.life[version-1].first
	if version <= c.floor[op] || o.Ending == Done && version > o.Saw.Version {
		return false
	}
	switch {
	case !o.Verb.Leaves(e.Kind) || o.Verb.Makes() != first:
		return false
	case o.Verb.Makes():
		return e.User == o.User && e.Seats <= o.Seats
	case o.Verb == spec.EditCapacity:
		return e.Capacity == o.Seats && e.Capacity != c.Entries[version-2].Capacity
	case o.Verb == spec.EditRules:
		return e.Capacity == c.Entries[version-2].Capacity
	}
	return o.Booking == e.Booking && (o.Verb != spec.Resize || e.Seats == o.Seats)
}

// claimRest matches what is left, user by user.
func (c *check) claimRest() {
	entries, operations := map[uuid.UUID][]int64{}, map[uuid.UUID][]int{}
	for i, e := range c.Entries {
		if c.asked[i] == none && !e.System && e.Kind != spec.KindOpened {
			entries[e.User] = append(entries[e.User], e.Version)
		}
	}
	for i, o := range c.Operations {
		whose := o.User
		if o.Verb.Leaves(spec.KindEdited) {
			whose = uuid.Nil // as the entry has it
		}
		acknowledged := o.Ending == Done && (o.Verb == spec.Resize || o.Verb.Leaves(spec.KindEdited))
		if (acknowledged || o.Ending == Unknown && !o.Verb.Reads()) && len(entries[whose]) > 0 {
			operations[whose] = append(operations[whose], i)
		}
	}
	for user, versions := range entries {
		m := matching{
			versions: versions, operations: operations[user], may: c.mayAsk,
			asked: map[int64]int{}, effect: map[int]int64{},
		}
		m.run(func(op int) bool { return c.mustHave(c.Operations[op]) })
		for version, op := range m.asked {
			c.asked[version-1], c.effect[op] = op, version
		}
	}
}

// matching pairs entries with operations, each with one at most.
type matching struct {
	versions   []int64
	operations []int
	may        func(op int, version int64) bool

	asked  map[int64]int
	effect map[int]int64
}

// run pairs as many of the operations that must have an entry as it can, then as
// many of the entries: a longer path never takes its pair away from anybody.
func (m *matching) run(must func(op int) bool) {
	for _, op := range m.operations {
		if must(op) {
			m.findEntry(op, map[int64]bool{})
		}
	}
	for _, version := range m.versions {
		if _, found := m.asked[version]; !found {
			m.findOperation(version, map[int]bool{})
		}
	}
}

// findEntry pairs an operation, moving others to other entries where it has to.
func (m *matching) findEntry(op int, tried map[int64]bool) bool {
	return slices.ContainsFunc(m.versions, func(version int64) bool {
		if tried[version] || !m.may(op, version) {
			return false
		}
		tried[version] = true
		other, taken := m.asked[version]
		if taken && !m.findEntry(other, tried) {
			return false
		}
		m.asked[version], m.effect[op] = op, version
		return true
	})
}

// findOperation is findEntry from the other side.
func (m *matching) findOperation(version int64, tried map[int]bool) bool {
	return slices.ContainsFunc(m.operations, func(op int) bool {
		if tried[op] || !m.may(op, version) {
			return false
		}
		tried[op] = true
		other, taken := m.effect[op]
		if taken && !m.findOperation(other, tried) {
			return false
		}
		m.asked[version], m.effect[op] = op, version
		return true
	})
}
