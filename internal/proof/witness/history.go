// Package witness holds what a slot did against what it told those who asked it.
//
// Many clients ask one slot at once, and every request is written down with the
// time of its call and of its return. Afterwards the slot's ledger is replayed,
// entry by entry, on a specification of a slot that was written for this purpose
// (slot.go), every answer is placed at the version that it carries (place.go,
// observe.go), every effect is traced to the request that asked for it (claim.go),
// and the order of the versions is held against the order in time (sweep.go).
// That takes time linear in the history, whatever the concurrency.
package witness

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
)

// History is what happened to one slot: what its ledger says, and what those saw
// who asked it.
type History struct {
	Rules      Rules
	Entries    []Entry
	Operations []Operation
}

// Rules are what the organizer decided for the slot.
type Rules struct {
	// Strict: nobody passes a booking that does not fit. Otherwise smaller ones
	// may, MaxPasses times.
	Strict    bool
	MaxPasses int
	// Offers: a promotion asks first.
	Offers bool
	// WaitlistLimit is how many may wait; 0 is any number.
	WaitlistLimit     int
	HoldFor, OfferFor time.Duration
	// Revision is the slot's before its first edit.
	Revision int64
}

// Entry is one step of the ledger, with the slot's counters after it.
type Entry struct {
	Version                  int64
	Kind                     Kind
	Booking, User            uuid.UUID
	Seats                    int
	Status                   Status
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
	Deed             Deed
	User             uuid.UUID
	// Booking is the one that the request names, if it names one.
	Booking uuid.UUID
	// Seats are those asked for, or the capacity; Least is with how few one is
	// content, 0: none fewer; Waits says that one would wait for them.
	Seats, Least int
	Waits        bool
	// Revision is the one that an edit is meant for.
	Revision int64

	Ending Ending
	Saw    Sight
}

// Sight is what an answer said, as far as its kind goes.
type Sight struct {
	// Version is where it holds: of a booking, the booking's last change.
	Version int64
	// Code is that of a refusal.
	Code string

	Booking      uuid.UUID
	Status       Status
	Seats, Least int
	// Position is the place in the queue, 0 for who does not wait.
	Position, BookingsAhead, SeatsAhead, SeatsNeeded, Passes int
	Blocked                                                  bool

	Capacity, Taken, Free, Waiting int
	Revision                       int64
}

type (
	// Kind, Status and Deed are words: what happened to a slot, where a booking is
	// in its life, what was asked for.
	Kind   string
	Status string
	Deed   string
	// Ending is what became of a request.
	Ending int
)

// The words of the ledger, as far as one slot that does not end knows them.
const (
	KindOpened     Kind = "opened"
	KindConfirmed  Kind = "confirmed"
	KindWaitlisted Kind = "waitlisted"
	KindHeld       Kind = "held"
	KindPromoted   Kind = "promoted"
	KindOffered    Kind = "offered"
	KindPassed     Kind = "passed"
	KindBlocked    Kind = "blocked"
	KindUnblocked  Kind = "unblocked"
	KindAccepted   Kind = "accepted"
	KindDeclined   Kind = "declined"
	KindResized    Kind = "resized"
	KindCancelled  Kind = "cancelled"
	KindExpired    Kind = "expired"
	KindEdited     Kind = "edited"
)

// A booking's life.
const (
	Waitlisted Status = "waitlisted"
	Held       Status = "held"
	Offered    Status = "offered"
	Confirmed  Status = "confirmed"
	Cancelled  Status = "cancelled"
	Expired    Status = "expired"
)

// What is asked for.
const (
	Book         Deed = "book"
	Hold         Deed = "hold"
	Confirm      Deed = "confirm"
	Cancel       Deed = "cancel"
	Accept       Deed = "accept"
	Decline      Deed = "decline"
	Resize       Deed = "resize"
	Edit         Deed = "edit"
	ReadBooking  Deed = "read booking"
	ReadSlot     Deed = "read slot"
	ReadPosition Deed = "read position"
)

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

// takesSeats says whether a booking of this status counts against the capacity.
func (s Status) takesSeats() bool { return s == Held || s == Offered || s == Confirmed }

// live says whether a booking of this status can still change.
func (s Status) live() bool { return s.takesSeats() || s == Waitlisted }

// makes says whether it makes a booking.
func (d Deed) makes() bool { return d == Book || d == Hold }

// reads says whether it changes nothing.
func (d Deed) reads() bool { return d == ReadBooking || d == ReadSlot || d == ReadPosition }

func (e Entry) String() string {
	text := fmt.Sprintf("entry %d %s", e.Version, e.Kind)
	if e.Booking != uuid.Nil {
		text += fmt.Sprintf(" booking=%s user=%s seats=%d status=%s", e.Booking, e.User, e.Seats, e.Status)
	}
	text += fmt.Sprintf(" (%d of %d taken, %d wait)", e.Taken, e.Capacity, e.Waiting)
	if e.Cause != 0 {
		text += fmt.Sprintf(" cause=%d", e.Cause)
	}
	return text + " " + e.At.UTC().Format("15:04:05.000000")
}

func (o Operation) String() string {
	text := fmt.Sprintf("%s..%s %s by %s", o.Called, o.Returned, o.Deed, o.User)
	if o.Booking != uuid.Nil {
		text += " of " + o.Booking.String()
	}
	if o.Seats > 0 {
		text += fmt.Sprintf(" seats=%d least=%d waits=%t", o.Seats, o.Least, o.Waits)
	}
	if o.Deed == Edit {
		text += fmt.Sprintf(" revision=%d", o.Revision)
	}
	return text + ": " + strings.TrimSpace(o.Ending.String()+" "+o.Saw.String())
}

func (s Sight) String() string {
	text := ""
	for _, part := range []struct {
		name  string
		value any
	}{
		{"version", s.Version}, {"code", s.Code}, {"booking", s.Booking}, {"status", s.Status}, {"seats", s.Seats},
		{"least", s.Least}, {"position", s.Position}, {"bookings_ahead", s.BookingsAhead}, {"seats_ahead", s.SeatsAhead},
		{"seats_needed", s.SeatsNeeded}, {"passes", s.Passes}, {"blocked", s.Blocked}, {"capacity", s.Capacity},
		{"taken", s.Taken}, {"free", s.Free}, {"waiting", s.Waiting}, {"revision", s.Revision},
	} {
		if !reflect.ValueOf(part.value).IsZero() {
			text += fmt.Sprintf(" %s=%v", part.name, part.value)
		}
	}
	return strings.TrimSpace(text)
}
