package witness

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/proof/spec"
)

// Violation is the first thing in a history that cannot be.
type Violation struct {
	Why string
	// Around are the entries and operations next to it.
	Around string
	// Unfinished: nothing wrong has happened, but somebody waits who could be served.
	// That may be about to happen.
	Unfinished bool
}

func (v *Violation) Error() string { return v.Why + "\n" + v.Around }

// Check examines a history. Of one that cannot be, it returns a *Violation.
func Check(h History) error {
	c := &check{History: h}
	for _, examine := range []func() *Violation{c.index, c.position, c.sweep, c.claim, c.replay} {
		if v := examine(); v != nil {
			return v
		}
	}
	return nil
}

// check is a history on its way through the examination.
type check struct {
	History
	// life tells of each entry how it stands in its booking's life.
	life []moment
	// byVersion are the operations in the order of the versions that they saw,
	// those that saw none left out.
	byVersion []int
	// numbers are the specification's for bookings: the versions of their first
	// entries. People are numbered, too.
	numbers, people map[uuid.UUID]int
	// positions are where the operations stand, floor the versions that somebody had
	// seen before each of them was called.
	positions []position
	floor     []int64
	// asked is, of each entry, the operation that asked for it, or none.
	asked []int
	// effect is, of each operation, the version of its entry, or 0.
	effect []int64
}

// moment is where an entry stands in its booking's life.
type moment struct {
	first bool
	// next is the version of the booking's next entry.
	next int64
}

const (
	// never is a version after all.
	never = math.MaxInt64
	// none is no operation.
	none = -1
)

// index orders what the others look up, and makes sure that the ledger counts
// from 1 on: everything else is found by its version.
func (c *check) index() *Violation {
	for i, e := range c.Entries {
		if e.Version != int64(i)+1 {
			return c.wrong(int64(i)+1, none, "the ledger's entry %d has version %d", i+1, e.Version)
		}
	}
	c.life = make([]moment, len(c.Entries))
	c.numbers, c.people = map[uuid.UUID]int{}, map[uuid.UUID]int{}
	later := map[uuid.UUID]int{}
	for i := len(c.Entries) - 1; i >= 0; i-- {
		id := c.Entries[i].Booking
		c.life[i] = moment{first: true, next: never}
		if next, found := later[id]; found {
			c.life[i].next = c.Entries[next].Version
			c.life[next].first = false
		}
		later[id] = i
		c.numbers[id] = i + 1
	}
	c.numbers[uuid.Nil] = spec.None
	for i, o := range c.Operations {
		if o.Saw.Version != 0 {
			c.byVersion = append(c.byVersion, i)
		}
	}
	slices.SortStableFunc(c.byVersion, func(a, b int) int {
		return cmp.Compare(c.Operations[a].Saw.Version, c.Operations[b].Saw.Version)
	})
	return nil
}

// Around a violation, so much is told.
const (
	entriesAround    = 4
	operationsAround = 12
)

// wrong tells of a violation at a version, and by an operation, if there is one.
func (c *check) wrong(version int64, op int, format string, args ...any) *Violation {
	var text strings.Builder
	about := uuid.Nil
	if version >= 1 && version <= int64(len(c.Entries)) {
		about = c.Entries[version-1].Booking
	}
	if op != none {
		o := c.Operations[op]
		fmt.Fprintf(&text, "  * %s\n", o)
		about = cmp.Or(o.Booking, o.Saw.Booking, about)
	}
	from := min(max(0, int(version)-1-entriesAround), len(c.Entries))
	for _, e := range c.Entries[from:min(len(c.Entries), int(version)+entriesAround)] {
		fmt.Fprintf(&text, "    %s\n", e)
	}
	told := 0
	for _, o := range c.Operations {
		same := about != uuid.Nil && (o.Booking == about || o.Saw.Booking == about)
		if told < operationsAround && (same || o.Saw.Version == version) {
			fmt.Fprintf(&text, "    %s\n", o)
			told++
		}
	}
	return &Violation{Why: fmt.Errorf(format, args...).Error(), Around: strings.TrimRight(text.String(), "\n")}
}

// number is the specification's for a booking.
func (c *check) number(booking uuid.UUID) int {
	number, known := c.numbers[booking]
	if !known {
		number = spec.None
	}
	return number
}

// person is the specification's number for a user.
func (c *check) person(user uuid.UUID) int {
	number, known := c.people[user]
	if !known {
		number = len(c.people)
		c.people[user] = number
	}
	return number
}

// inTime orders operations by a time of theirs.
func inTime(operations []Operation, at func(Operation) time.Duration) []int {
	order := make([]int, len(operations))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(at(operations[a]), at(operations[b])) })
	return order
}
