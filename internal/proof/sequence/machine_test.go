//go:build unix

package sequence_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"eventbooking/gen/api"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/sequence"
	"eventbooking/internal/testkit"
)

// machine is one sequence: the model, and the same event in the service.
type machine struct {
	*service
	t     *rapid.T
	house *sequence.House

	client     *testkit.Client
	people     []lab.Person
	organizers []lab.Person // of the event, and of another
	wanted     []lab.SlotOptions
	slots      []uuid.UUID
	bookings   []uuid.UUID
	// seen is what the service showed when it last was at rest.
	seen []sequence.View
}

// as is a client of somebody.
func (m *machine) as(who int) *testkit.Client {
	switch who {
	case sequence.Organizer:
		return m.client.As(m.organizers[0].Token)
	case sequence.Stranger:
		return m.client.As(m.organizers[1].Token)
	}
	return m.client.As(m.people[who].Token)
}

func (m *machine) slot(i int, rest string) string {
	return "/api/v1/slots/" + m.slots[i].String() + rest
}

func (m *machine) booking(i int, rest string) string {
	return "/api/v1/bookings/" + m.bookings[i].String() + rest
}

// came compares an answer with what the model says, and lets both come to rest.
func (m *machine) came(answer testkit.Answer, want sequence.Answer) {
	m.answered(answer, want)
	if want.Status == 201 {
		for i, b := range shown(answer) {
			m.known(want.Bookings[i], b.ID)
		}
	}
	for i, b := range want.Bookings {
		if got, want := m.view(shown(answer)[i]), m.house.ViewBooking(b); got != want {
			m.t.Fatalf("the answer shows another booking:\n  want %+v\n  got  %+v", want, got)
		}
	}
	m.compare()
}

// answered compares an answer's status and code.
func (m *machine) answered(answer testkit.Answer, want sequence.Answer) {
	var p api.Problem
	if answer.Status >= 400 {
		answer.Into(&p)
	}
	if answer.Status != want.Status || string(p.Code) != want.Code || want.Status < 400 && len(want.Bookings) > len(shown(answer)) {
		m.t.Fatalf("want %+v, got %d %s", want, answer.Status, answer.Body)
	}
}

// shown are the bookings in an answer: of a bundle several, of a slot none.
func shown(answer testkit.Answer) []api.Booking {
	var many struct{ Data []api.Booking }
	answer.Into(&many)
	if len(many.Data) == 0 {
		many.Data = make([]api.Booking, 1)
		answer.Into(&many.Data[0])
	}
	return many.Data
}

// known notes the id of a booking that is new.
func (m *machine) known(i int, id uuid.UUID) {
	if i != len(m.bookings) || slices.Contains(m.bookings, id) {
		m.t.Fatalf("booking %d has the id of another: %s", i, id)
	}
	m.bookings = append(m.bookings, id)
}

// compare waits for rest, looks at everything, and follows the service into one
// of the states in which the model may come to rest.
func (m *machine) compare() {
	must(m.t, m.rest())
	m.look()
	for i, v := range m.seen {
		if err := v.Check(); err != nil {
			m.t.Fatalf("slot %d: %v", i, err)
		}
	}
	must(m.t, sequence.CheckPeople(m.house.Slots, m.seen))
	var first string
	for _, rest := range m.house.Rests() {
		difference := ""
		for i := range m.slots {
			if d := sequence.Difference(rest.View(i), m.seen[i]); d != "" {
				difference += fmt.Sprintf("slot %d:\n%s", i, d)
			}
		}
		if difference == "" {
			m.house = rest
			return
		}
		if first == "" {
			first = difference
		}
	}
	m.t.Fatalf("the service came to rest otherwise:\n%s", first)
}

// look reads all slots, and everything of those that have changed: nothing does
// without a new version.
func (m *machine) look() {
	organizer := m.as(sequence.Organizer)
	if m.seen == nil {
		m.seen = make([]sequence.View, len(m.slots))
	}
	for i := range m.slots {
		var s api.Slot
		organizer.Get(m.slot(i, "")).Want(200).Into(&s)
		if int(s.Version) == m.seen[i].Version {
			continue
		}
		v := sequence.View{Status: string(s.Status), Capacity: s.Capacity, Taken: s.SeatsTaken, Waiting: s.WaitlistLength,
			Version: int(s.Version), Bookings: map[int]sequence.BookingView{}}
		for _, b := range all[api.Booking](organizer, m.slot(i, "/bookings")) {
			v.Bookings[m.index(&b.ID)] = m.view(b)
		}
		for _, p := range all[api.WaitlistEntry](organizer, m.slot(i, "/waitlist")) {
			v.Queue = append(v.Queue, sequence.Place{Booking: m.index(&p.Booking.ID), Passes: p.Passes, Blocker: m.index(orNil(p.BlockedBy.Get))})
		}
		for n, e := range all[api.LedgerEntry](organizer, m.slot(i, "/ledger")) {
			if int(e.Version) != n+1 {
				m.t.Fatalf("slot %d: entry %d of the ledger has version %d", i, n+1, e.Version)
			}
			v.Ledger = append(v.Ledger, sequence.Entry{Kind: string(e.Kind), Booking: m.index(orNil(e.BookingID.Get))})
		}
		m.seen[i] = v
	}
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

func (m *machine) view(b api.Booking) sequence.BookingView {
	position, _ := b.WaitlistPosition.Get()
	least, _ := b.SeatsMin.Get()
	_, err := b.CheckedInAt.Get()
	return sequence.BookingView{
		Person: slices.IndexFunc(m.people, func(p lab.Person) bool { return p.ID == b.UserID }),
		Slot:   slices.Index(m.slots, b.SlotID), Seats: b.Seats, Least: least, Status: string(b.Status),
		Position: position, Blocked: b.Blocked, Replaces: m.index(orNil(b.ReplacesBookingID.Get)),
		MovedFrom: m.index(orNil(b.MovedFromBookingID.Get)), CheckedIn: err == nil, Version: int(b.SlotVersion),
	}
}

// index is the number of a booking; None: there is none.
func (m *machine) index(id *uuid.UUID) int {
	if id == nil {
		return sequence.None
	}
	i := slices.Index(m.bookings, *id)
	if i < 0 {
		m.t.Fatalf("nobody made booking %s", id)
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
func (m *machine) at(hour int) string {
	return m.wanted[0].StartsAt.Add(time.Duration(hour) * time.Hour).Format(time.RFC3339)
}

// tell puts a command into the log of a sequence that fails.
func (m *machine) tell(who int, format string, args ...any) {
	name := map[int]string{sequence.Organizer: "the organizer", sequence.Stranger: "another organizer"}[who]
	if name == "" {
		name = fmt.Sprintf("person %d", who)
	}
	m.t.Log(strings.TrimSpace(name + " " + fmt.Sprintf(format, args...)))
}
