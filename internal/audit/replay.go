package audit

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Replayed is what a slot's ledger alone says about the slot. It shares no code
// with seating.State, so that each can check the other.
type Replayed struct {
	SlotID               uuid.UUID
	Version              int64
	Capacity, SeatsTaken int
	WaitlistLength       int
	WaitlistReady        int
	Bookings             map[uuid.UUID]Recalled
	// Queue has the waiting bookings, blocked or not, in the order of their positions.
	Queue []uuid.UUID

	// passed are the bookings that the entry at version served passed, and for which
	// the next entries must say so.
	passed []uuid.UUID
	served int64
}

// Recalled is what the ledger says about a booking.
type Recalled struct {
	UserID        uuid.UUID
	Seats         int
	Status        seating.Status
	Version       int64
	QueuedVersion int64
	Passes        int
	Blocked       bool
	CheckedIn     bool
}

// Contradiction is the first entry that contradicts those before it.
type Contradiction struct {
	Entry seating.Entry
	Why   string
}

func (c *Contradiction) Error() string {
	return fmt.Sprintf("entry %d (%s) of slot %s: %s", c.Entry.Version, c.Entry.Kind, c.Entry.SlotID, c.Why)
}

// Replay computes the counters, the bookings and the queue of a slot from all
// entries of its ledger. It stops with a *Contradiction at the first entry that
// contradicts those before it.
func Replay(entries []seating.Entry) (Replayed, error) {
	r := Replayed{Bookings: map[uuid.UUID]Recalled{}}
	for _, e := range entries {
		for _, rule := range []func(seating.Entry) string{r.checkOrder, r.checkPassed, r.checkStep, r.checkSeats, r.apply, r.checkCounters} {
			if why := rule(e); why != "" {
				return r, &Contradiction{e, why}
			}
		}
	}
	if len(r.passed) > 0 {
		return r, &Contradiction{entries[len(entries)-1], fmt.Sprintf("booking %s was passed, and no entry says so", r.passed[0])}
	}
	return r, nil
}

// checkOrder checks that versions count from 1, that only the first entry opens the
// slot, that only edits change the capacity, and that causes come first and are
// there where they must be. It returns what is wrong, like the other checks.
func (r *Replayed) checkOrder(e seating.Entry) string {
	switch {
	case e.Version != r.Version+1:
		return fmt.Sprintf("it should be entry %d", r.Version+1)
	case r.Version > 0 && e.SlotID != r.SlotID:
		return fmt.Sprintf("it should be of slot %s", r.SlotID)
	case (e.Kind == seating.KindOpened) != (r.Version == 0):
		return "a ledger begins with opened, and only there"
	case r.Version > 0 && e.Capacity != r.Capacity && (e.Kind != seating.KindEdited || e.BookingID != uuid.Nil):
		return fmt.Sprintf("the capacity was %d", r.Capacity)
	case e.Cause.SlotID == e.SlotID && e.Cause.Version >= e.Version:
		return fmt.Sprintf("its cause, entry %d, comes later", e.Cause.Version)
	case (e.Cause.SlotID == uuid.Nil) != (e.Cause.Version == 0):
		return "half of its cause is missing"
	case e.Cause.Version == 0 && slices.Contains([]seating.Kind{seating.KindPromoted, seating.KindOffered, seating.KindPassed, seating.KindUnblocked}, e.Kind):
		return "it needs a cause"
	}
	r.SlotID, r.Version, r.Capacity = e.SlotID, e.Version, e.Capacity
	return ""
}

// checkPassed checks that the entries right after the one that gave a booking seats
// say which bookings that passed, in the order of the queue, and no others.
func (r *Replayed) checkPassed(e seating.Entry) string {
	expected := len(r.passed) > 0
	switch saysPassed := e.Kind == seating.KindPassed; {
	case expected && (!saysPassed || e.BookingID != r.passed[0]):
		return fmt.Sprintf("booking %s was passed, and no entry says so", r.passed[0])
	case saysPassed && !expected:
		return "nobody passed the booking"
	case saysPassed && e.Cause != (seating.Cause{SlotID: r.SlotID, Version: r.served}):
		return fmt.Sprintf("entry %d passed the booking", r.served)
	case saysPassed:
		r.passed = r.passed[1:]
	}
	return ""
}

// steps says from which statuses an entry of a kind takes a booking, and to which
// status; without the latter, the status stays. Of these kinds, only edited may also
// be about no booking.
var steps = map[seating.Kind]struct {
	from []seating.Status
	to   seating.Status
}{
	seating.KindWaitlisted:    {[]seating.Status{""}, seating.Waitlisted},
	seating.KindHeld:          {[]seating.Status{""}, seating.Held},
	seating.KindConfirmed:     {[]seating.Status{"", seating.Held}, seating.Confirmed},
	seating.KindPromoted:      {[]seating.Status{seating.Waitlisted}, seating.Confirmed},
	seating.KindOffered:       {[]seating.Status{seating.Waitlisted}, seating.Offered},
	seating.KindAccepted:      {[]seating.Status{seating.Offered}, seating.Confirmed},
	seating.KindDeclined:      {[]seating.Status{seating.Offered}, seating.Cancelled},
	seating.KindMoved:         {[]seating.Status{seating.Confirmed}, seating.Cancelled},
	seating.KindCancelled:     {[]seating.Status{seating.Waitlisted, seating.Held, seating.Offered, seating.Confirmed}, seating.Cancelled},
	seating.KindExpired:       {[]seating.Status{seating.Waitlisted, seating.Held, seating.Offered}, seating.Expired},
	seating.KindPassed:        {[]seating.Status{seating.Waitlisted}, ""},
	seating.KindBlocked:       {[]seating.Status{seating.Waitlisted}, ""},
	seating.KindUnblocked:     {[]seating.Status{seating.Waitlisted}, ""},
	seating.KindResized:       {[]seating.Status{seating.Waitlisted, seating.Held, seating.Offered, seating.Confirmed}, ""},
	seating.KindEdited:        {[]seating.Status{seating.Held, seating.Offered}, ""},
	seating.KindCheckedIn:     {[]seating.Status{seating.Confirmed}, ""},
	seating.KindCheckInUndone: {[]seating.Status{seating.Confirmed}, ""},
}

// checkStep checks that the booking's status may change as the entry says, and that
// the booking is still the same user's.
func (r *Replayed) checkStep(e seating.Entry) string {
	step, isOfBooking := steps[e.Kind]
	if e.BookingID == uuid.Nil {
		if isOfBooking && e.Kind != seating.KindEdited {
			return "it should be about a booking"
		}
		return ""
	}
	b := r.Bookings[e.BookingID]
	to := step.to
	if to == "" {
		to = b.Status
	}
	// The booking's last entry held or offered the seats that this one answers.
	isAnswer := b.Status == seating.Held && e.Kind == seating.KindConfirmed || e.Kind == seating.KindAccepted || e.Kind == seating.KindDeclined
	switch {
	case !slices.Contains(step.from, b.Status):
		return fmt.Sprintf("a booking that was %q cannot be %s", b.Status, e.Kind)
	case e.Status != to:
		return fmt.Sprintf("it should leave the booking %q", to)
	case b.Status != "" && b.UserID != e.UserID:
		return "the booking was another user's"
	case isAnswer && e.Cause != (seating.Cause{SlotID: e.SlotID, Version: b.Version}):
		return fmt.Sprintf("its cause should be entry %d", b.Version)
	case e.Kind == seating.KindBlocked && b.Blocked, e.Kind == seating.KindUnblocked && !b.Blocked,
		e.Kind == seating.KindCheckedIn && b.CheckedIn, e.Kind == seating.KindCheckInUndone && !b.CheckedIn:
		return "the booking was so before"
	}
	return ""
}

// checkSeats checks that a booking's seats change only by a resize, or by a promotion
// with fewer seats if no more were free.
func (r *Replayed) checkSeats(e seating.Entry) string {
	b := r.Bookings[e.BookingID]
	more := e.Seats > b.Seats
	switch {
	case b.Status == "" || e.Seats == b.Seats:
		return ""
	case e.Kind == seating.KindResized && more && (b.Status == seating.Held || b.Status == seating.Offered):
		return "seats that are held or offered can only become fewer"
	case e.Kind == seating.KindResized && more && b.Status == seating.Confirmed && r.WaitlistReady > 0:
		return "others wait for the seats that it gets"
	case e.Kind == seating.KindResized:
		return ""
	case more || e.Kind != seating.KindPromoted && e.Kind != seating.KindOffered:
		return "the booking was for " + fault.Count(b.Seats, "seat")
	case e.SeatsTaken < e.Capacity:
		return fmt.Sprintf("the booking waited for %s, and more were free than it got", fault.Count(b.Seats, "seat"))
	}
	return ""
}

// apply changes the booking of the entry, if there is one, or all if the slot moves.
func (r *Replayed) apply(e seating.Entry) string {
	if e.BookingID == uuid.Nil {
		r.applyTimes(e)
		return ""
	}
	b := r.Bookings[e.BookingID]
	r.forget(e.BookingID, b)
	if e.Status.TakesSeats() && !b.Status.TakesSeats() {
		if why := r.serve(e, b); why != "" {
			return why
		}
	}
	// A waiting booking that asks for more seats rejoins the queue at its end.
	joins := e.Kind == seating.KindWaitlisted || e.Status == seating.Waitlisted && e.Seats > b.Seats
	b.UserID, b.Seats, b.Status, b.Version = e.UserID, e.Seats, e.Status, e.Version
	switch {
	case joins:
		b.QueuedVersion, b.Passes, b.Blocked = e.Version, 0, false
	case e.Kind == seating.KindPassed:
		b.Passes++
	case e.Kind == seating.KindBlocked, e.Kind == seating.KindUnblocked:
		b.Blocked = e.Kind == seating.KindBlocked
	case e.Kind == seating.KindCheckedIn, e.Kind == seating.KindCheckInUndone:
		b.CheckedIn = e.Kind == seating.KindCheckedIn
	}
	b.Blocked = b.Blocked && b.Status == seating.Waitlisted
	b.CheckedIn = b.CheckedIn && b.Status == seating.Confirmed
	r.remember(e.BookingID, b)
	return ""
}

// applyTimes gives the live bookings the version of an entry that changes the slot's
// times.
func (r *Replayed) applyTimes(e seating.Entry) {
	if e.Times == (seating.TimeChange{}) {
		return
	}
	for id, b := range r.Bookings {
		if b.Status.Live() {
			b.Version = e.Version
			r.Bookings[id] = b
		}
	}
}

// serve notes which ready bookings the one that gets seats passes. Each of them must
// need more seats than are free.
func (r *Replayed) serve(e seating.Entry, b Recalled) string {
	r.served = e.Version
	for _, id := range r.Queue {
		other := r.Bookings[id]
		if other.Blocked || b.QueuedVersion != 0 && other.QueuedVersion > b.QueuedVersion {
			continue
		}
		if other.Seats <= r.Capacity-r.SeatsTaken {
			return fmt.Sprintf("booking %s waits at an earlier position, and enough seats are free for it", id)
		}
		r.passed = append(r.passed, id)
	}
	return ""
}

// forget takes a booking, as it was, out of the counters and the queue.
func (r *Replayed) forget(id uuid.UUID, b Recalled) {
	if b.Status.TakesSeats() {
		r.SeatsTaken -= b.Seats
	}
	if b.Status != seating.Waitlisted {
		return
	}
	r.WaitlistLength--
	if !b.Blocked {
		r.WaitlistReady--
	}
	at := slices.Index(r.Queue, id)
	r.Queue = slices.Delete(r.Queue, at, at+1)
}

// remember adds a booking, as it is, to the counters and the queue.
func (r *Replayed) remember(id uuid.UUID, b Recalled) {
	r.Bookings[id] = b
	if b.Status.TakesSeats() {
		r.SeatsTaken += b.Seats
	}
	if b.Status != seating.Waitlisted {
		return
	}
	r.WaitlistLength++
	if !b.Blocked {
		r.WaitlistReady++
	}
	at, _ := slices.BinarySearchFunc(r.Queue, b.QueuedVersion, func(other uuid.UUID, version int64) int {
		return int(r.Bookings[other].QueuedVersion - version)
	})
	r.Queue = slices.Insert(r.Queue, at, id)
}

// checkCounters checks that the entry's counters are those of the slot after it.
func (r *Replayed) checkCounters(e seating.Entry) string {
	switch {
	case e.SeatsTaken != r.SeatsTaken || e.WaitlistLength != r.WaitlistLength:
		return fmt.Sprintf("it counts %d taken and %d waiting; it should be %d and %d",
			e.SeatsTaken, e.WaitlistLength, r.SeatsTaken, r.WaitlistLength)
	case e.SeatsTaken > e.Capacity:
		return fmt.Sprintf("%d of %d seats are taken", e.SeatsTaken, e.Capacity)
	}
	return ""
}
