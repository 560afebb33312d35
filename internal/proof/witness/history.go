// Package witness compares what a slot did with what it told those who asked it.
//
// Many clients ask one slot at once, and every request is written down with the
// time of its call and of its return. Afterwards the slot's ledger is replayed on
// the specification, entry by entry (replay.go), every answer is compared at the
// version that it carries (position.go, observe.go), every effect is traced to the
// request that asked for it (claim.go), and the order of the versions is compared
// with the order in time (sweep.go). That takes time linear in the history,
// whatever the concurrency.
package witness

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/proof/spec"
)

// History is what happened to one slot: what its ledger says, and what those saw
// who asked it.
type History struct {
	Rules spec.Rules
	// Revision is the slot's before its first edit.
	Revision   int
	Entries    []Entry
	Operations []Operation
}

// Entry is one step of the ledger, with the slot's counters after it.
type Entry struct {
	Version                  int64
	Kind                     spec.Kind
	Booking, User            uuid.UUID
	Seats                    int
	Status                   spec.Status
	Capacity, Taken, Waiting int
	// System: nobody asked for it.
	System bool
	// Cause is the version of the entry of this slot that made it possible; 0: none did.
	Cause int64
	At    time.Time
}

// Operation is one request and what became of it.
type Operation struct {
	Called, Returned time.Duration
	Verb             spec.Verb
	User             uuid.UUID
	// Booking is the one that the request names, if it names one.
	Booking uuid.UUID
	// Seats are those asked for, or the capacity; Least is with how few one is
	// content, 0: none fewer; Waits says that one would wait for them.
	Seats, Least int
	Waits        bool
	// Revision is the one that an edit is meant for, Rules are those of an edit of them.
	Revision int
	Rules    spec.Rules

	Ending Ending
	Saw    Observation
}

// Observation is what an answer said, as far as its kind goes.
type Observation struct {
	// Version is where it holds: of a booking, the booking's last change.
	Version int64
	// Code is that of a refusal.
	Code spec.Code

	Booking      uuid.UUID
	Status       spec.Status
	Seats, Least int
	// Position is the one in the queue, 0 for who does not wait.
	Position, BookingsAhead, SeatsAhead, SeatsNeeded, Passes int
	Blocked                                                  bool

	Capacity, Taken, Free, Waiting int
	Revision                       int
}

// Ending is what became of a request.
type Ending int

const (
	// Done: it was acknowledged, and its answer says how things are.
	Done Ending = iota
	// Refused: it had no effect, for a reason that was given.
	Refused
	// Untouched: it had no effect, because the service could not serve it.
	Untouched
	// Unknown: nobody knows.
	Unknown
)

func (e Ending) String() string { return [...]string{"done", "refused", "untouched", "unknown"}[e] }

func (e Entry) String() string { return spec.Describe(e) }

func (o Operation) String() string { return spec.Describe(o) }

func (s Observation) String() string { return spec.Describe(s) }
