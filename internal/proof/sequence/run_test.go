//go:build unix

package sequence

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/spec"
	"eventbooking/internal/testkit"
)

// run is one sequence: the model, and the same event in the service.
type run struct {
	*service
	t     tester
	model *spec.Model

	client     *testkit.Client
	people     []lab.Person
	organizers []lab.Person // of the event, and of another
	wanted     []lab.SlotOptions
	event      uuid.UUID
	slots      []uuid.UUID
	bookings   []uuid.UUID
	// seen is what the service showed when it last was at rest.
	seen []slotView
}

// as is a client of somebody.
func (r *run) as(who int) *testkit.Client {
	switch who {
	case spec.Organizer:
		return r.client.As(r.organizers[0].Token)
	case spec.Stranger:
		return r.client.As(r.organizers[1].Token)
	}
	return r.client.As(r.people[who].Token)
}

// do sends a request, compares what comes back with what the model says, and lets
// both come to rest.
func (r *run) do(request spec.Request) {
	r.t.Logf("%v", request)
	answer := r.send(request)
	want := r.model.Do(request)
	if request.Verb == spec.Resize {
		want.Bookings = nil // It is read again for the answer, and may have been promoted by then.
	}
	r.compareAnswer(answer, want)
	for i, number := range want.Bookings {
		shown := bookingsIn(answer)[i]
		if want.Status == http.StatusCreated {
			r.note(number, shown.ID)
		}
		if got, want := r.viewOf(shown), r.shownTo(request.Who, number); got != want {
			r.t.Fatalf("the answer shows another booking:\n  want %+v\n  got  %+v", want, got)
		}
	}
	r.compare()
}

// send sends a request to the service.
func (r *run) send(request spec.Request) testkit.Answer {
	method, path, body := request.HTTP(spec.IDs{
		Event:   r.event,
		Slot:    func(i int) uuid.UUID { return r.slots[i] },
		Booking: func(i int) uuid.UUID { return r.bookings[i] },
	})
	var options []testkit.RequestOption
	if method == http.MethodPatch && request.Verb.Command().Manages {
		options = append(options, testkit.Header("If-Match", "*"))
	}
	return r.as(request.Who).Send(method, "/api/v1"+path, body, options...)
}

// compareAnswer compares an answer's status, its code, and what a refusal names.
func (r *run) compareAnswer(answer testkit.Answer, want spec.Answer) {
	var p api.Problem
	if answer.Status >= 400 {
		answer.Into(&p)
	}
	if answer.Status != want.Status || string(p.Code) != string(want.Code) || want.Status < 400 && len(want.Bookings) > len(bookingsIn(answer)) {
		r.t.Fatalf("want %+v, got %d %s", want, answer.Status, answer.Body)
	}
	if open := p.WaitlistOpen != nil && *p.WaitlistOpen; want.Code == spec.SlotFull && (p.WaitlistOpen == nil || open != want.WaitlistOpen) {
		r.t.Fatalf("waitlist_open should be %t: %s", want.WaitlistOpen, answer.Body)
	}
	if want.Code == spec.AlreadyBooked && r.number(p.BookingID) != want.Names {
		r.t.Fatalf("booking %d should be named: %s", want.Names, answer.Body)
	}
}

// bookingsIn are the bookings in an answer: of a bundle several, of a slot none.
func bookingsIn(answer testkit.Answer) []api.Booking {
	var many struct{ Data []api.Booking }
	answer.Into(&many)
	if len(many.Data) == 0 {
		many.Data = make([]api.Booking, 1)
		answer.Into(&many.Data[0])
	}
	return many.Data
}

// note notes the id of a booking that is new.
func (r *run) note(number int, id uuid.UUID) {
	if number != len(r.bookings) || slices.Contains(r.bookings, id) {
		r.t.Fatalf("booking %d has the id of another: %s", number, id)
	}
	r.bookings = append(r.bookings, id)
}

// shownTo is a booking as the API is to show it to somebody. Only its owner sees which
// other booking it replaces.
func (r *run) shownTo(who, number int) bookingView {
	b, _ := r.model.Booking(number)
	view := show(r.model, b.Slot).Bookings[number]
	if who != b.Person {
		view.Replaces = spec.None
	}
	return view
}

func (r *run) slotPath(i int, rest string) string {
	return "/api/v1/slots/" + r.slots[i].String() + rest
}

func (r *run) bookingPath(i int, rest string) string {
	return "/api/v1/bookings/" + r.bookings[i].String() + rest
}

// compare waits for rest, looks at everything, and follows the service into one
// of the states in which the model may come to rest.
func (r *run) compare() {
	must(r.t, r.rest())
	r.read()
	for i, v := range r.seen {
		if err := v.check(); err != nil {
			r.t.Fatalf("slot %d: %v", i, err)
		}
	}
	must(r.t, checkPeople(r.model, r.seen))
	var first string
	for _, rest := range r.model.Rests() {
		found := ""
		for i := range r.slots {
			if d := difference(show(rest, i), r.seen[i]); d != "" {
				found += fmt.Sprintf("slot %d:\n%s", i, d)
			}
		}
		if found == "" {
			r.model = rest
			return
		}
		if first == "" {
			first = found
		}
	}
	r.t.Fatalf("the service came to rest otherwise:\n%s", first)
}

// read reads all slots, and everything of those that have changed: nothing does
// without a new version.
func (r *run) read() {
	organizer := r.as(spec.Organizer)
	if r.seen == nil {
		r.seen = make([]slotView, len(r.slots))
	}
	for i := range r.slots {
		var s api.Slot
		organizer.Get(r.slotPath(i, "")).Want(200).Into(&s)
		if int(s.Version) == r.seen[i].Version {
			continue
		}
		v := slotView{Status: spec.SlotStatus(s.Status), Capacity: s.Capacity, Taken: s.SeatsTaken, Waiting: s.WaitlistLength,
			Version: int(s.Version), Bookings: map[int]bookingView{}}
		for _, b := range all[api.Booking](organizer, r.slotPath(i, "/bookings")) {
			v.Bookings[r.number(&b.ID)] = r.ownView(b)
		}
		for _, p := range all[api.WaitlistEntry](organizer, r.slotPath(i, "/waitlist")) {
			v.Queue = append(v.Queue, waiting{Booking: r.number(&p.Booking.ID), Passes: p.Passes, Blocker: r.blocker(p)})
		}
		for n, e := range all[api.LedgerEntry](organizer, r.slotPath(i, "/ledger")) {
			if int(e.Version) != n+1 {
				r.t.Fatalf("slot %d: entry %d of the ledger has version %d", i, n+1, e.Version)
			}
			v.Ledger = append(v.Ledger, spec.Entry{Kind: spec.Kind(e.Kind), Booking: r.number(orNil(e.BookingID.Get))})
		}
		r.seen[i] = v
	}
}

// ownView completes what the organizer sees of a booking by what only its owner sees,
// where the model says that there is something.
func (r *run) ownView(seen api.Booking) bookingView {
	view := r.viewOf(seen)
	if view.Replaces != spec.None {
		r.t.Fatalf("the organizer is told which booking %s replaces", seen.ID)
	}
	if b, known := r.model.Booking(r.number(&seen.ID)); known && b.Replaces != spec.None {
		var own api.Booking
		r.as(b.Person).Get(r.bookingPath(b.Number, "")).Want(http.StatusOK).Into(&own)
		view.Replaces = r.viewOf(own).Replaces
	}
	return view
}

// blocker asks the owner of a waiting booking which of their bookings blocks it. The
// organizer is not told.
func (r *run) blocker(p api.WaitlistEntry) int {
	if !p.BlockedBy.IsNull() {
		r.t.Fatalf("the organizer is told which booking blocks %s", p.Booking.ID)
	}
	number := r.number(&p.Booking.ID)
	b, known := r.model.Booking(number)
	if !p.Booking.Blocked || !known {
		return spec.None
	}
	var own api.WaitlistPosition
	r.as(b.Person).Get(r.bookingPath(number, "/waitlist-position")).Want(http.StatusOK).Into(&own)
	return r.number(orNil(own.BlockedBy.Get))
}

// all reads a list to its end.
func all[T any](c *testkit.Client, path string) (rows []T) {
	for next := path + "?limit=50"; next != ""; {
		var page struct {
			Data       []T
			NextCursor *string `json:"next_cursor"`
		}
		c.Get(next).Want(200).Into(&page)
		rows, next = append(rows, page.Data...), ""
		if page.NextCursor != nil {
			next = path + "?limit=50&cursor=" + *page.NextCursor
		}
	}
	return rows
}

func (r *run) viewOf(b api.Booking) bookingView {
	position, _ := b.WaitlistPosition.Get()
	least, _ := b.SeatsMin.Get()
	_, err := b.CheckedInAt.Get()
	return bookingView{
		Person: slices.IndexFunc(r.people, func(p lab.Person) bool { return p.ID == b.UserID }),
		Slot:   slices.Index(r.slots, b.SlotID), Seats: b.Seats, Least: least, Status: spec.StatusOf(string(b.Status)),
		Position: position, Blocked: b.Blocked, Replaces: r.number(orNil(b.ReplacesBookingID.Get)),
		MovedFrom: r.number(orNil(b.MovedFromBookingID.Get)), CheckedIn: err == nil, Version: int(b.SlotVersion),
	}
}

// number is the number of a booking; None: there is none.
func (r *run) number(id *uuid.UUID) int {
	if id == nil {
		return spec.None
	}
	i := slices.Index(r.bookings, *id)
	if i < 0 {
		r.t.Fatalf("nobody made booking %s", id)
	}
	return i
}

func orNil[T any](get func() (T, error)) *T {
	value, err := get()
	if err != nil {
		return nil
	}
	return &value
}

// at is an hour of the slots' day.
func (r *run) at(hour int) string {
	return r.wanted[0].StartsAt.Add(time.Duration(hour) * time.Hour).Format(time.RFC3339)
}
