package witness_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/proof/spec"
	"eventbooking/internal/proof/witness"
)

// noon is when the ledgers of the tests begin.
var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// id is a user or a booking: ann's booking is Ann.
func id(name string) uuid.UUID {
	if name == "" {
		return uuid.Nil
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name))
}

func booking(user string) uuid.UUID { return id("booking of " + user) }

// history is written by hand: entries as they come, and what each of the
// operations was told, one after the other in time.
type history struct{ witness.History }

// entry adds one, a second after the one before it.
func (h *history) entry(kind spec.Kind, user string, seats int, status spec.Status, capacity, taken, waiting int, cause ...int64) {
	system := strings.Contains("promoted offered passed blocked unblocked expired", string(kind))
	e := witness.Entry{
		Version: int64(len(h.Entries) + 1), Kind: kind, Seats: seats, Status: status, System: system,
		Capacity: capacity, Taken: taken, Waiting: waiting, At: noon.Add(time.Duration(len(h.Entries)) * time.Second),
	}
	if user != "" {
		e.Booking, e.User = booking(user), id(user)
	}
	if len(cause) > 0 {
		e.Cause = cause[0]
	}
	h.Entries = append(h.Entries, e)
}

// asks adds an operation, after all those before it had returned.
func (h *history) asks(user string, verb spec.Verb, seats int, ending witness.Ending, saw witness.Observation) *witness.Operation {
	at := time.Duration(10 * len(h.Operations))
	o := witness.Operation{Called: at, Returned: at + 5, Verb: verb, User: id(user), Seats: seats, Ending: ending, Saw: saw}
	if verb != spec.Book && verb != spec.Hold && verb != spec.ReadSlot && !verb.Leaves(spec.KindEdited) {
		o.Booking = booking(user)
	}
	h.Operations = append(h.Operations, o)
	return &h.Operations[len(h.Operations)-1]
}

// told is an operation that was done, and the booking that was shown for it.
func (h *history) told(user string, verb spec.Verb, asked int, version int64, status spec.Status, seats, position int) *witness.Operation {
	return h.asks(user, verb, asked, witness.Done, witness.Observation{
		Version: version, Booking: booking(user), Status: status, Seats: seats, Position: position})
}

func (h *history) refused(user string, verb spec.Verb, seats int, version int64, code spec.Code) *witness.Operation {
	return h.asks(user, verb, seats, witness.Refused, witness.Observation{Version: version, Code: code})
}

// queue is a slot of three seats whose bookings may be passed once. ann has two,
// ben waits for three, cid passes him, dan waits behind; then all of them go.
func queue() *history {
	h := &history{witness.History{Revision: 1, Rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None, FirstFit: true, MaxPasses: 1, HoldFor: time.Hour}}}
	h.entry(spec.KindOpened, "", 0, 0, 3, 0, 0)
	h.entry(spec.KindConfirmed, "ann", 2, spec.Confirmed, 3, 2, 0)
	h.entry(spec.KindWaitlisted, "ben", 3, spec.Waitlisted, 3, 2, 1)
	h.entry(spec.KindConfirmed, "cid", 1, spec.Confirmed, 3, 3, 1)
	h.entry(spec.KindPassed, "ben", 3, spec.Waitlisted, 3, 3, 1, 4)
	h.entry(spec.KindWaitlisted, "dan", 1, spec.Waitlisted, 3, 3, 2)
	h.entry(spec.KindCancelled, "ann", 2, spec.Cancelled, 3, 1, 2)
	h.entry(spec.KindCancelled, "cid", 1, spec.Cancelled, 3, 0, 2)
	h.entry(spec.KindPromoted, "ben", 3, spec.Confirmed, 3, 3, 1, 8)
	h.entry(spec.KindCancelled, "ben", 3, spec.Cancelled, 3, 0, 1)
	h.entry(spec.KindPromoted, "dan", 1, spec.Confirmed, 3, 1, 0, 10)
	h.entry(spec.KindResized, "dan", 2, spec.Confirmed, 3, 2, 0)
	h.entry(spec.KindCancelled, "dan", 2, spec.Cancelled, 3, 0, 0)

	h.told("ann", spec.Book, 2, 2, spec.Confirmed, 2, 0)
	h.told("ben", spec.Book, 3, 3, spec.Waitlisted, 3, 1).Waits = true
	h.told("cid", spec.Book, 1, 4, spec.Confirmed, 1, 0)
	h.told("dan", spec.Book, 1, 6, spec.Waitlisted, 1, 2).Waits = true
	h.asks("eve", spec.ReadSlot, 0, witness.Done, witness.Observation{Version: 6, Capacity: 3, Taken: 3, Waiting: 2, Revision: 1})
	h.told("ann", spec.Cancel, 0, 7, spec.Cancelled, 2, 0)
	h.refused("eve", spec.Book, 1, 7, "slot_full")
	h.refused("dan", spec.Book, 1, 7, "already_booked").Saw.Booking = booking("dan")
	h.asks("dan", spec.ReadPosition, 0, witness.Done, witness.Observation{
		Version: 7, Booking: booking("dan"), Status: spec.Waitlisted, Position: 2, BookingsAhead: 1, SeatsAhead: 3, SeatsNeeded: 2, Free: 2})
	h.told("cid", spec.Cancel, 0, 8, spec.Cancelled, 1, 0)
	h.told("ben", spec.ReadBooking, 0, 9, spec.Confirmed, 3, 0)
	h.told("ben", spec.Cancel, 0, 10, spec.Cancelled, 3, 0)
	h.told("ann", spec.Cancel, 0, 7, spec.Cancelled, 2, 0)
	h.told("dan", spec.Resize, 2, 12, spec.Confirmed, 2, 0)
	h.told("dan", spec.Resize, 2, 12, spec.Confirmed, 2, 0)
	h.told("dan", spec.Cancel, 0, 13, spec.Cancelled, 2, 0)
	return h
}

// offers is a strict slot of two seats that asks first, with a hold.
func offers() *history {
	h := &history{witness.History{Revision: 1, Rules: spec.Rules{
		Waitlist: spec.Offer, Limit: 1, HoldFor: 3 * time.Second, OfferFor: 2 * time.Second}}}
	h.entry(spec.KindOpened, "", 0, 0, 2, 0, 0)
	h.entry(spec.KindHeld, "ann", 2, spec.Held, 2, 2, 0)
	h.entry(spec.KindWaitlisted, "ben", 2, spec.Waitlisted, 2, 2, 1)
	h.entry(spec.KindEdited, "", 0, 0, 3, 2, 1)
	h.entry(spec.KindExpired, "ann", 2, spec.Expired, 3, 0, 1)
	h.entry(spec.KindOffered, "ben", 2, spec.Offered, 3, 2, 0, 5)
	h.entry(spec.KindAccepted, "ben", 2, spec.Confirmed, 3, 2, 0, 6)
	h.entry(spec.KindConfirmed, "cid", 1, spec.Confirmed, 3, 3, 0)

	h.told("ann", spec.Hold, 2, 2, spec.Held, 2, 0)
	h.told("ben", spec.Book, 2, 3, spec.Waitlisted, 2, 1).Waits = true
	h.refused("cid", spec.Book, 1, 3, "waitlist_full").Waits = true
	h.asks("eve", spec.EditCapacity, 3, witness.Done, witness.Observation{Version: 4, Capacity: 3, Taken: 2, Free: 1, Waiting: 1, Revision: 2}).Revision = 1
	h.refused("eve", spec.EditCapacity, 1, 4, "capacity_below_taken").Revision = 2
	h.refused("eve", spec.EditCapacity, 9, 4, "version_mismatch").Revision = 1
	h.refused("ann", spec.Confirm, 0, 5, "hold_expired")
	h.refused("ann", spec.Cancel, 0, 5, "invalid_transition").Saw.Status = spec.Expired
	h.told("ben", spec.Accept, 0, 7, spec.Confirmed, 2, 0)
	h.told("ben", spec.Accept, 0, 7, spec.Confirmed, 2, 0)
	partly := h.told("cid", spec.Book, 2, 8, spec.Confirmed, 1, 0)
	partly.Least, partly.Saw.Least = 1, 1
	h.refused("cid", spec.Resize, 2, 8, "slot_full")
	return h
}

// small is a slot whose capacity is cut below what ben waits for.
func small() *history {
	h := &history{witness.History{Revision: 1, Rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}}}
	h.entry(spec.KindOpened, "", 0, 0, 3, 0, 0)
	h.entry(spec.KindConfirmed, "ann", 1, spec.Confirmed, 3, 1, 0)
	h.entry(spec.KindWaitlisted, "ben", 3, spec.Waitlisted, 3, 1, 1)
	h.entry(spec.KindEdited, "", 0, 0, 2, 1, 1)
	h.entry(spec.KindBlocked, "ben", 3, spec.Waitlisted, 2, 1, 1)
	h.entry(spec.KindConfirmed, "cid", 1, spec.Confirmed, 2, 2, 1)
	h.entry(spec.KindEdited, "", 0, 0, 3, 2, 1)
	h.entry(spec.KindUnblocked, "ben", 3, spec.Waitlisted, 3, 2, 1, 7)
	h.told("ann", spec.Book, 1, 2, spec.Confirmed, 1, 0)
	h.told("ben", spec.Book, 3, 3, spec.Waitlisted, 3, 1).Waits = true
	h.asks("eve", spec.EditCapacity, 2, witness.Done, witness.Observation{Version: 4, Capacity: 2, Taken: 1, Free: 1, Waiting: 1, Revision: 2}).Revision = 1
	h.told("cid", spec.Book, 1, 6, spec.Confirmed, 1, 0)
	h.refused("dan", spec.Hold, 3, 6, "seats_exceed_capacity")
	h.asks("eve", spec.EditCapacity, 3, witness.Done, witness.Observation{Version: 7, Capacity: 3, Taken: 2, Free: 1, Waiting: 1, Revision: 3}).Revision = 2
	return h
}

// ruled is a strict slot of three seats whose rules change when ann has two of
// them, ben waits for two and dan for one.
func ruled() *history {
	h := &history{witness.History{Revision: 1, Rules: spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}}}
	h.entry(spec.KindOpened, "", 0, 0, 3, 0, 0)
	h.entry(spec.KindConfirmed, "ann", 2, spec.Confirmed, 3, 2, 0)
	h.entry(spec.KindWaitlisted, "ben", 2, spec.Waitlisted, 3, 2, 1)
	h.entry(spec.KindWaitlisted, "dan", 1, spec.Waitlisted, 3, 2, 2)
	h.entry(spec.KindEdited, "", 0, 0, 3, 2, 2)
	h.entry(spec.KindPromoted, "dan", 1, spec.Confirmed, 3, 3, 1, 5)
	h.entry(spec.KindPassed, "ben", 2, spec.Waitlisted, 3, 3, 1, 6)
	h.told("ann", spec.Book, 2, 2, spec.Confirmed, 2, 0)
	h.told("ben", spec.Book, 2, 3, spec.Waitlisted, 2, 1).Waits = true
	h.told("dan", spec.Book, 1, 4, spec.Waitlisted, 1, 2).Waits = true
	edit := h.asks("eve", spec.EditRules, 0, witness.Done, witness.Observation{Version: 5, Capacity: 3, Taken: 2, Free: 1, Waiting: 2, Revision: 1})
	edit.Rules = spec.Rules{Waitlist: spec.Automatic, FirstFit: true, MaxPasses: 1}
	return h
}

func TestHistoriesThatCanBeAreAccepted(t *testing.T) {
	t.Parallel()
	late := queue()
	late.Operations = append(late.Operations, witness.Operation{
		Called: 0, Returned: 9999, Verb: spec.Cancel, User: id("dan"), Booking: booking("dan"), Ending: witness.Unknown})
	nobody := queue()
	nobody.Operations[15].Ending, nobody.Operations[15].Saw = witness.Unknown, witness.Observation{}
	untouched := queue()
	untouched.asks("eve", spec.Book, 1, witness.Untouched, witness.Observation{})
	stale := queue()
	stale.Operations[12].Called, stale.Operations[12].Returned = 0, 9999 // a repetition that began before the first
	for name, h := range map[string]*history{
		"a queue": queue(), "offers": offers(), "blocked": small(), "other rules": ruled(),
		"an unknown cancellation that did nothing": late, "one that did": nobody,
		"untouched": untouched, "repeated at once": stale,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := witness.Check(h.History); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHistoriesThatCannotBeAreFound(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		of    func() *history
		spoil func(*history)
		want  string
	}{
		// What the ledger cannot say.
		"a version twice":    {queue, func(h *history) { h.Entries[3].Version = 3 }, "has version 3"},
		"a version left out": {queue, func(h *history) { h.Entries = slices.Delete(h.Entries, 6, 7) }, "has version 8"},
		"oversold": {queue, func(h *history) {
			h.Entries[3].Seats, h.Entries[3].Taken, h.Operations[2].Seats, h.Operations[2].Saw.Seats = 2, 4, 2, 2
		},
			"not free"},
		"a released seat not counted": {queue, func(h *history) { h.Entries[6].Taken = 3 }, "should say 1 of 3"},
		"last in, first out": {queue, func(h *history) { h.forget(10); h.Entries[8].Booking, h.Entries[8].User = booking("dan"), id("dan") },
			"is next"},
		"promoted past the last pass": {queue, func(h *history) {
			h.insert(7, witness.Entry{Kind: spec.KindPromoted, System: true, Booking: booking("dan"), User: id("dan"), Seats: 1,
				Status: spec.Confirmed, Capacity: 3, Taken: 2, Waiting: 1, Cause: 7})
		}, "nobody is next"},
		"promoted twice": {queue, func(h *history) {
			h.insert(9, witness.Entry{Kind: spec.KindPromoted, System: true, Booking: booking("ben"), User: id("ben"), Seats: 3,
				Status: spec.Confirmed, Capacity: 3, Taken: 3, Waiting: 1, Cause: 8})
		}, "a booking that is confirmed"},
		"a promotion that is lost": {queue, func(h *history) { h.cut(11); h.cut(11); h.cut(11); h.Operations = h.Operations[:13] }, "still waits"},
		"a newcomer before the queue": {queue, func(h *history) {
			h.insert(8, witness.Entry{Kind: spec.KindConfirmed, Booking: booking("eve"), User: id("eve"), Seats: 1,
				Status: spec.Confirmed, Capacity: 3, Taken: 1, Waiting: 2})
			h.told("eve", spec.Book, 1, 9, spec.Confirmed, 1, 0).Called = 0
		}, "decided on before the queue"},
		"a pass that is not told": {queue, func(h *history) { h.cut(5) }, "no entry says so"},
		"a pass of nobody":        {queue, func(h *history) { h.Entries[4].Cause = 2 }, "entry 4 passed"},
		"waiting in front of free seats": {queue, func(h *history) {
			h.Entries[1].Kind, h.Entries[1].Status, h.Operations[0].Waits = spec.KindWaitlisted, spec.Waitlisted, true
		}, "the newcomer waits"},
		"waiting without having wanted to": {queue, func(h *history) { h.Operations[1].Waits = false }, "did not want to"},
		"more seats before the queue": {queue, func(h *history) {
			h.insert(7, witness.Entry{Kind: spec.KindResized, Booking: booking("cid"), User: id("cid"), Seats: 2,
				Status: spec.Confirmed, Capacity: 3, Taken: 2, Waiting: 2})
			h.told("cid", spec.Resize, 2, 8, spec.Confirmed, 2, 0).Called = 0
		}, "gets 2: slot_full"},
		"two live bookings": {queue, func(h *history) {
			h.insert(2, witness.Entry{Kind: spec.KindHeld, Booking: id("another"), User: id("ann"), Seats: 1,
				Status: spec.Held, Capacity: 3, Taken: 3})
			o := h.told("ann", spec.Hold, 1, 3, spec.Held, 1, 0)
			o.Called, o.Saw.Booking = 0, id("another")
		}, "its user has booking"},
		"an edit into what is taken":    {offers, func(h *history) { h.Entries[3].Capacity, h.Operations[3].Seats = 1, 1 }, "2 seats are taken of 1"},
		"a hold that outlives its time": {offers, func(h *history) { h.Entries[3].At = noon.Add(4 * time.Second) }, "still takes seats"},
		"a hold that is cut short":      {offers, func(h *history) { h.Entries[4].At = noon.Add(3500 * time.Millisecond) }, "had until"},
		"promoted without asking":       {offers, func(h *history) { h.Entries[5].Kind = spec.KindPromoted }, "offer the seats first: true"},
		"blocked for nothing": {small, func(h *history) {
			h.Entries[3].Capacity, h.Operations[2].Seats, h.Operations[2].Saw.Capacity, h.Operations[2].Saw.Free = 4, 4, 4, 3
		}, "it needs 3 seats of 4"},
		"passing who is not blocked": {small, func(h *history) { h.cut(5) }, "cannot be served and is not blocked"},
		"blocked for ever":           {small, func(h *history) { h.cut(8) }, "is blocked, and needs"},
		"a newcomer before those whom new rules serve": {ruled, func(h *history) {
			h.cut(7)
			h.Entries[5] = witness.Entry{Version: 6, Kind: spec.KindConfirmed, Booking: booking("eve"), User: id("eve"), Seats: 1,
				Status: spec.Confirmed, Capacity: 3, Taken: 3, Waiting: 2, At: h.Entries[4].At}
			h.told("eve", spec.Book, 1, 6, spec.Confirmed, 1, 0)
		}, "decided on before the queue"},
		"rules that nobody has made": {ruled, func(h *history) { h.Operations[3].Rules.FirstFit = false }, "nobody is next"},
		"by nobody":                  {queue, func(h *history) { h.Entries[8].System = false }, "nobody asked for"},

		// What an answer cannot say.
		"an effect that nobody asked for": {queue, func(h *history) { h.forget(5) }, "nobody asked for entry 7"},
		"a dropped cancel": {queue, func(h *history) {
			h.told("dan", spec.Cancel, 0, 12, spec.Cancelled, 2, 0).Called = 0
		}, "with 2 seats"},
		"a dropped booking":           {queue, func(h *history) { h.told("eve", spec.Book, 1, 13, spec.Confirmed, 1, 0) }, "is of booking"},
		"a version that is not there": {queue, func(h *history) { h.told("dan", spec.Cancel, 0, 14, spec.Cancelled, 2, 0) }, "ends with 13"},
		"no version":                  {queue, func(h *history) { h.refused("eve", spec.Book, 1, 0, "slot_full") }, "says version 0"},
		"one booking for two":         {queue, func(h *history) { h.Operations = append(h.Operations, h.Operations[0]) }, "acknowledged to two"},
		"one resize for two": {queue, func(h *history) {
			h.Entries[11].Seats, h.Entries[11].Taken, h.Entries[12].Seats = 3, 3, 3
			h.Operations[13].Seats, h.Operations[13].Saw.Seats = 3, 3
			h.Operations[14].Saw.Seats, h.Operations[15].Saw.Seats = 3, 3
		}, "no entry is its effect"},
		"another's seats":                  {queue, func(h *history) { h.Operations[2].Saw.Seats = 2 }, "the booking is confirmed with 1 seats"},
		"another position":                 {queue, func(h *history) { h.Operations[3].Saw.Position = 1 }, "at position 2"},
		"another wait":                     {queue, func(h *history) { h.Operations[8].Saw.SeatsAhead = 1 }, "the position is"},
		"other counters":                   {queue, func(h *history) { h.Operations[4].Saw.Taken = 2 }, "the slot is"},
		"full with free seats":             {queue, func(h *history) { h.refused("eve", spec.Book, 1, 13, "slot_full") }, "it can be done"},
		"full before the queue was served": {queue, func(h *history) { h.refused("eve", spec.Book, 1, 8, "slot_full").Called = 0 }, "before the queue was served"},
		"booked by nobody":                 {queue, func(h *history) { h.refused("eve", spec.Book, 1, 13, "already_booked") }, "it can be done"},
		"a refusal of its own":             {queue, func(h *history) { h.refused("eve", spec.Book, 1, 13, "rate_limited") }, "is no refusal"},
		"an accept of no offer":            {queue, func(h *history) { h.told("ben", spec.Accept, 0, 10, spec.Cancelled, 3, 0) }, "the booking is cancelled"},
		"effect and untouched": {queue, func(h *history) {
			h.Operations[5].Ending, h.Operations[5].Saw = witness.Untouched, witness.Observation{}
		}, "nobody asked for entry 7"},

		// What cannot be in time.
		"a stale read":             {queue, func(h *history) { h.told("ben", spec.ReadBooking, 0, 9, spec.Confirmed, 3, 0) }, "had been seen when it was called"},
		"a stale refusal":          {queue, func(h *history) { h.refused("eve", spec.Book, 1, 7, "slot_full") }, "had been seen when it was called"},
		"two that were swapped":    {queue, func(h *history) { h.forget(10); h.swap(9, 10) }, "nobody asked for entry 8 (cancelled) at that time"},
		"done before it was asked": {queue, func(h *history) { h.Operations[0].Called, h.Operations[0].Returned = 100, 105 }, "had been seen when it was called"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := test.of()
			test.spoil(h)
			var v *witness.Violation
			if err := witness.Check(h.History); !errors.As(err, &v) || !strings.Contains(v.Why, test.want) {
				t.Errorf("%v; want: %s", err, test.want)
			}
		})
	}
}

// cut takes an entry out, insert puts one in; those after it keep their order.
func (h *history) cut(version int) {
	h.Entries = append(h.Entries[:version-1], h.Entries[version:]...)
	h.renumber(version, -1)
}

func (h *history) insert(after int, e witness.Entry) {
	e.At = h.Entries[after-1].At
	h.Entries = append(h.Entries[:after:after], append([]witness.Entry{e}, h.Entries[after:]...)...)
	h.renumber(after+1, 1)
}

// renumber counts the versions again, from one on, with all that name them.
func (h *history) renumber(from int, by int64) {
	for i := range h.Entries {
		h.Entries[i].Version = int64(i + 1)
		if h.Entries[i].Cause >= int64(from) {
			h.Entries[i].Cause += by
		}
	}
	for i := range h.Operations {
		if h.Operations[i].Saw.Version >= int64(from) {
			h.Operations[i].Saw.Version += by
		}
	}
}

// forget takes an operation out, swap exchanges the times of two.
func (h *history) forget(op int) { h.Operations = append(h.Operations[:op], h.Operations[op+1:]...) }

func (h *history) swap(a, b int) {
	x, y := &h.Operations[a], &h.Operations[b]
	x.Called, x.Returned, y.Called, y.Returned = y.Called, y.Returned, x.Called, x.Returned
}
