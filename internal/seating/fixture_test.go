package seating_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const (
	held       = seating.Held
	confirmed  = seating.Confirmed
	waitlisted = seating.Waitlisted
	cancelled  = seating.Cancelled
	offered    = seating.Offered
	expired    = seating.Expired
)

// fixture is a State with one slot, to apply commands to.
type fixture struct {
	t     tester
	state *seating.State
	slot  uuid.UUID
	made  []uuid.UUID
}

type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func newFixture(t tester, slot seating.Slot) *fixture {
	s := seating.NewState(noon)
	s.AddSlot(slot)
	return &fixture{t: t, state: s, slot: slot.ID}
}

// newEvent is a fixture with several slots of one event, an hour apart.
func newEvent(t tester, capacities ...int) (*fixture, []seating.Slot) {
	var slots []seating.Slot
	first := holdable(capacities[0])
	f := newFixture(t, first)
	slots = append(slots, first)
	for i, capacity := range capacities[1:] {
		s := holdable(capacity)
		s.EventID = first.EventID
		s.StartsAt, s.EndsAt = first.StartsAt.Add(time.Duration(i+1)*3*time.Hour), first.EndsAt.Add(time.Duration(i+1)*3*time.Hour)
		f.state.AddSlot(s)
		slots = append(slots, s)
	}
	return f, slots
}

func aSlot(capacity int) seating.Slot {
	return seating.Slot{
		ID: uuid.New(), EventID: uuid.New(), OrganizerID: uuid.New(),
		EventStatus: seating.EventPublished, Status: seating.SlotOpen,
		StartsAt: noon.Add(48 * time.Hour), EndsAt: noon.Add(50 * time.Hour), Capacity: capacity, Revision: 1,
		Policy: seating.Policy{WaitlistMode: seating.WaitlistAutomatic, WaitlistLimit: seating.NoLimit, OfferFor: time.Hour, Fit: seating.FitStrict, MaxPasses: 3},
	}
}

func holdable(capacity int) seating.Slot {
	slot := aSlot(capacity)
	slot.Policy.HoldFor = 10 * time.Minute
	return slot
}

func (f *fixture) apply(c seating.Command) (seating.Result, error) { return f.state.Apply(c) }

func (f *fixture) must(c seating.Command) seating.Result {
	f.t.Helper()
	r, err := f.apply(c)
	if err != nil {
		f.t.Fatalf("%T: %v", c, err)
	}
	return r
}

// book is a booking by a new user.
func (f *fixture) book(seats int) seating.Book {
	id := uuid.New()
	f.made = append(f.made, id)
	return seating.Book{BookingID: id, SlotID: f.slot, UserID: uuid.New(), Seats: seats, IfFull: seating.Wait, By: seating.Actor{Role: seating.ActorAttendee}}
}

func (f *fixture) hold(seats int) seating.Hold { return seating.Hold{Book: f.book(seats)} }

func (f *fixture) confirm(b seating.Book, from seating.Status) seating.Confirm {
	return seating.Confirm{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, From: from, By: seating.Actor{Role: seating.ActorAttendee}}
}

func (f *fixture) cancel(b seating.Book) seating.Cancel {
	return seating.Cancel{SlotID: f.slot, BookingID: b.BookingID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorAttendee}}
}

func (f *fixture) now() seating.Slot { return *f.state.Slots()[0] }

func (f *fixture) findSlot(id uuid.UUID) seating.Slot {
	for _, s := range f.state.Slots() {
		if s.ID == id {
			return *s
		}
	}
	return seating.Slot{}
}

func (f *fixture) booking(id uuid.UUID) seating.Booking {
	for _, b := range f.state.Bookings() {
		if b.ID == id {
			return *b
		}
	}
	return seating.Booking{}
}

// statuses are those of the bookings, in the order in which they were made.
func (f *fixture) statuses() (all []seating.Status) {
	for _, id := range f.made {
		for _, b := range f.state.Bookings() {
			if b.ID == id {
				all = append(all, b.Status)
			}
		}
	}
	return all
}

func (f *fixture) want(statuses ...seating.Status) {
	f.t.Helper()
	if got := f.statuses(); !slices.Equal(got, statuses) {
		f.t.Errorf("statuses are %v, want %v", got, statuses)
	}
}

func (f *fixture) kinds() (kinds []seating.Kind) {
	for _, e := range f.state.Entries() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// wantFault fails the test unless err has the code, and returns its members.
func wantFault(t testing.TB, err error, code *fault.Code) fault.Members {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("error is %v, want %s", err, code.Name)
	}
	return fault.Of(err).Members
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
