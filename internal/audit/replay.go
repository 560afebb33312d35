package audit

import (
	"eventbooking/internal/seating"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Replayed is what a slot's ledger alone says about the slot. It shares no code
// with State, so that each can be held against the other.
type Replayed struct {
	SlotID               uuid.UUID
	Version              int64
	Capacity, SeatsTaken int
	WaitlistLength       int
	WaitlistReady        int
	Bookings             map[uuid.UUID]Recalled
	// Queue holds those who wait, blocked or not, in the order of their places.
	Queue []uuid.UUID

	// owed are those who must be noted as passed by the entry at version served.
	owed   []uuid.UUID
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

// Contradiction is the first entry that cannot be as the ones before it are.
type Contradiction struct {
	Entry seating.Entry
	Why   string
}

func (c *Contradiction) Error() string {
	return fmt.Sprintf("entry %d (%s) of slot %s: %s", c.Entry.Version, c.Entry.Kind, c.Entry.SlotID, c.Why)
}

// Replay folds the ledger of one slot, from its first entry on, into what it
// says about the slot's counters, bookings and queue. The first entry that
// contradicts those before it ends that, with a *Contradiction.
func Replay(entries []seating.Entry) (Replayed, error) {
	r := Replayed{Bookings: map[uuid.UUID]Recalled{}}
	for _, e := range entries {
		for _, rule := range []func(seating.Entry) string{r.follows, r.passes, r.lives, r.resizes, r.advance, r.counts} {
			if why := rule(e); why != "" {
				return r, &Contradiction{e, why}
			}
		}
	}
	if len(r.owed) > 0 {
		return r, &Contradiction{entries[len(entries)-1], fmt.Sprintf("booking %s was passed over, and no entry says so", r.owed[0])}
	}
	return r, nil
}

// follows: versions count from 1, the first entry opens the slot, only edits
// change the capacity, and nobody is served without a reason.
func (r *Replayed) follows(e seating.Entry) string {
	switch {
	case e.Version != r.Version+1:
		return fmt.Sprintf("it should be entry %d", r.Version+1)
	case r.Version > 0 && e.SlotID != r.SlotID:
		return fmt.Sprintf("it should be of slot %s", r.SlotID)
	case (e.Kind == seating.KindOpened) != (r.Version == 0):
		return "a ledger begins with opened, once"
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

// passes: whoever is passed over is noted right after, in the order of the
// queue, by entries that name the one who was served.
func (r *Replayed) passes(e seating.Entry) string {
	expected := len(r.owed) > 0
	switch noted := e.Kind == seating.KindPassed; {
	case expected && (!noted || e.BookingID != r.owed[0]):
		return fmt.Sprintf("booking %s was passed over, and no entry says so", r.owed[0])
	case noted && !expected:
		return "nobody passed the booking"
	case noted && e.Cause != (seating.Cause{SlotID: r.SlotID, Version: r.served}):
		return fmt.Sprintf("entry %d passed the booking", r.served)
	case noted:
		r.owed = r.owed[1:]
	}
	return ""
}

// life is what the kinds of entries do to a booking: from which status they take
// it to which. Those without an outcome leave it as it was. Only an edit may also
// be about no booking.
var life = map[seating.Kind]struct {
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

// lives: bookings live as they may, each as one user's.
func (r *Replayed) lives(e seating.Entry) string {
	step, about := life[e.Kind]
	if e.BookingID == uuid.Nil {
		if about && e.Kind != seating.KindEdited {
			return "it should be about a booking"
		}
		return ""
	}
	b := r.Bookings[e.BookingID]
	outcome := step.to
	if outcome == "" {
		outcome = b.Status
	}
	// What is confirmed, accepted or declined was held or offered by the booking's last entry.
	answers := b.Status == seating.Held && e.Kind == seating.KindConfirmed || e.Kind == seating.KindAccepted || e.Kind == seating.KindDeclined
	switch {
	case !slices.Contains(step.from, b.Status):
		return fmt.Sprintf("a booking that was %q cannot be %s", b.Status, e.Kind)
	case e.Status != outcome:
		return fmt.Sprintf("it should leave the booking %q", outcome)
	case b.Status != "" && b.UserID != e.UserID:
		return "the booking was another user's"
	case answers && e.Cause != (seating.Cause{SlotID: e.SlotID, Version: b.Version}):
		return fmt.Sprintf("its cause should be entry %d", b.Version)
	case e.Kind == seating.KindBlocked && b.Blocked, e.Kind == seating.KindUnblocked && !b.Blocked,
		e.Kind == seating.KindCheckedIn && b.CheckedIn, e.Kind == seating.KindCheckInUndone && !b.CheckedIn:
		return "the booking was that before"
	}
	return ""
}

// resizes: the seats of a booking change only where that is what the entry is
// about, and by a promotion with fewer seats, if they were all that was free.
func (r *Replayed) resizes(e seating.Entry) string {
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
		return fmt.Sprintf("the booking was for %d seats", b.Seats)
	case e.SeatsTaken < e.Capacity:
		return fmt.Sprintf("the booking waited for %d seats, and more were free", b.Seats)
	}
	return ""
}

// advance takes the booking of the entry one step on.
func (r *Replayed) advance(e seating.Entry) string {
	if e.BookingID == uuid.Nil {
		return ""
	}
	b := r.Bookings[e.BookingID]
	r.forget(e.BookingID, b)
	if e.Status.TakesSeats() && !b.Status.TakesSeats() {
		if why := r.serve(e, b); why != "" {
			return why
		}
	}
	// Who asks for more seats while waiting gives the place up for the last one.
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

// serve notes who waits, ready, before the one that gets seats: each of them
// asks for more than is free, and is owed an entry.
func (r *Replayed) serve(e seating.Entry, b Recalled) string {
	r.served = e.Version
	for _, id := range r.Queue {
		other := r.Bookings[id]
		if other.Blocked || b.QueuedVersion != 0 && other.QueuedVersion > b.QueuedVersion {
			continue
		}
		if other.Seats <= r.Capacity-r.SeatsTaken {
			return fmt.Sprintf("booking %s waits at an earlier place, and the free seats are enough for it", id)
		}
		r.owed = append(r.owed, id)
	}
	return ""
}

// forget takes away what a booking, as it was, means for the slot.
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

// remember adds what a booking, as it is, means for the slot.
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
	at, _ := slices.BinarySearchFunc(r.Queue, b.QueuedVersion, func(other uuid.UUID, place int64) int {
		return int(r.Bookings[other].QueuedVersion - place)
	})
	r.Queue = slices.Insert(r.Queue, at, id)
}

// counts: the entry's counters are those of the slot after it.
func (r *Replayed) counts(e seating.Entry) string {
	switch {
	case e.SeatsTaken != r.SeatsTaken || e.WaitlistLength != r.WaitlistLength:
		return fmt.Sprintf("it says %d seats taken and %d waiting; it should be %d and %d",
			e.SeatsTaken, e.WaitlistLength, r.SeatsTaken, r.WaitlistLength)
	case e.SeatsTaken > e.Capacity:
		return fmt.Sprintf("%d seats are taken of a capacity of %d", e.SeatsTaken, e.Capacity)
	}
	return ""
}
