package booking_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/booking"
	"eventbooking/internal/fault"
	"eventbooking/internal/page"
	"eventbooking/internal/testkit"
	"eventbooking/internal/view"
)

// readAll reads a list to its end, two bookings a page.
func readAll(t *testing.T, list func(page.Ask) (page.Page[view.Booking], error)) []uuid.UUID {
	t.Helper()
	two, all := 2, []uuid.UUID{}
	request := page.Ask{Limit: &two}
	for {
		l, err := list(request)
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Items) > two || l.Next != "" && len(l.Items) != two {
			t.Fatalf("a page of %d", len(l.Items))
		}
		all = append(all, ids(l.Items)...)
		if l.Next == "" {
			return all
		}
		request.Cursor = &l.Next
	}
}

// phases has an attendee with bookings in every phase and in several statuses.
type phases struct {
	env
	me                                                     access.Caller
	past, lastYear, ongoing, tomorrow, nextWeek, cancelled uuid.UUID
}

func openPhases(t *testing.T) phases {
	t.Helper()
	c := phases{env: open(t)}
	c.me = c.attendee(t)
	event := testkit.Event(t, c.pool)
	const day = 24 * time.Hour
	// A slot that has started cannot be booked, so its times change after that.
	at := func(starts, ends time.Duration) uuid.UUID {
		slot := testkit.Slot(t, c.pool, event.ID, testkit.Times(1000*day+starts, 1000*day+ends))
		b := c.mustBook(t, c.me, slot.ID, 1)
		c.exec(t, "UPDATE slots SET starts_at = starts_at - interval '24000 hours', ends_at = ends_at - interval '24000 hours' WHERE id = $1", slot.ID)
		return b.ID
	}
	c.lastYear, c.past = at(-365*day, -364*day), at(-2*day, -day)
	c.ongoing = at(-time.Hour, time.Hour)
	c.nextWeek, c.tomorrow, c.cancelled = at(7*day, 8*day), at(day, 2*day), at(3*day, 4*day)
	if _, err := c.cancel(c.me, c.cancelled, ""); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMyBookingsAreFilteredByStatusAndPhase(t *testing.T) {
	t.Parallel()
	c := openPhases(t)
	c.mustBook(t, c.attendee(t), testkit.Slot(t, c.pool, testkit.Event(t, c.pool).ID).ID, 1) // somebody else's
	tests := []struct {
		name     string
		statuses booking.Statuses
		when     booking.When
		want     []uuid.UUID
	}{
		{"all, the latest first", nil, booking.Always, []uuid.UUID{c.nextWeek, c.cancelled, c.tomorrow, c.ongoing, c.past, c.lastYear}},
		{"upcoming, the next first", nil, booking.Upcoming, []uuid.UUID{c.tomorrow, c.cancelled, c.nextWeek}},
		{"ongoing", nil, booking.Ongoing, []uuid.UUID{c.ongoing}},
		{"past", nil, booking.Past, []uuid.UUID{c.past, c.lastYear}},
		{"confirmed and upcoming", booking.Statuses{"confirmed"}, booking.Upcoming, []uuid.UUID{c.tomorrow, c.nextWeek}},
		{"two statuses", booking.Statuses{"waitlisted", "cancelled"}, booking.Always, []uuid.UUID{c.cancelled}},
		{"none", booking.Statuses{"expired"}, booking.Always, []uuid.UUID{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := readAll(t, func(r page.Ask) (page.Page[view.Booking], error) {
				return c.service.ListMine(t.Context(), c.me, test.statuses, test.when, r)
			})
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	t.Run("a cursor belongs to a filter, in any order of the statuses", func(t *testing.T) {
		t.Parallel()
		one := 1
		l, err := c.service.ListMine(t.Context(), c.me, booking.Statuses{"confirmed", "cancelled"}, booking.Always, page.Ask{Limit: &one})
		if err != nil {
			t.Fatal(err)
		}
		next := page.Ask{Cursor: &l.Next}
		if _, err := c.service.ListMine(t.Context(), c.me, booking.Statuses{"cancelled", "confirmed"}, booking.Always, next); err != nil {
			t.Error(err)
		}
		_, err = c.service.ListMine(t.Context(), c.me, nil, booking.Always, next)
		wantFault(t, err, fault.CursorMismatch)
	})
}

func TestConflictsTakeSeatsAtAnOverlappingTime(t *testing.T) {
	t.Parallel()
	c := openPhases(t)
	now := time.Now()
	all := func(starts, ends time.Time) []uuid.UUID {
		return readAll(t, func(r page.Ask) (page.Page[view.Booking], error) {
			return c.service.ListConflicts(t.Context(), c.me, starts, ends, r)
		})
	}
	if got, want := all(now.AddDate(0, 0, -30), now.AddDate(0, 0, 30)), []uuid.UUID{c.past, c.ongoing, c.tomorrow, c.nextWeek}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	b, err := c.service.Get(t.Context(), c.me, c.tomorrow)
	if err != nil {
		t.Fatal(err)
	}
	if got := all(b.EndsAt, b.EndsAt.Add(time.Hour)); len(got) != 0 {
		t.Errorf("back-to-back overlaps %v", got)
	}
	if got := all(b.EndsAt.Add(-time.Microsecond), b.EndsAt); !slices.Equal(got, []uuid.UUID{c.tomorrow}) {
		t.Errorf("got %v", got)
	}
	if _, err := c.service.ListConflicts(t.Context(), c.me, now, now, page.Ask{}); err == nil {
		t.Error("an empty range was accepted")
	}
}

func TestBookingsOfASlotAndAnEventAreListedInOrder(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	one, two := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(2)), testkit.Slot(t, e.pool, event.ID)
	e.mustBook(t, e.attendee(t), testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID).ID, 1) // another event's
	var ofOne, ofEvent, waiting []uuid.UUID
	for i := range 10 {
		slot := one
		if i%2 == 1 {
			slot = two
		}
		b := e.mustBook(t, e.attendee(t), slot.ID, 1)
		ofEvent = append(ofEvent, b.ID)
		if slot.ID == one.ID {
			ofOne = append(ofOne, b.ID)
		}
		if b.Status == "waitlisted" {
			waiting = append(waiting, b.ID)
		}
	}
	slices.Reverse(ofEvent)
	me := organizerOf(event)

	slotList := func(s booking.Statuses) func(page.Ask) (page.Page[view.Booking], error) {
		return func(r page.Ask) (page.Page[view.Booking], error) {
			return e.service.ListOfSlot(t.Context(), me, one.ID, s, r)
		}
	}
	eventList := func(s booking.Statuses) func(page.Ask) (page.Page[view.Booking], error) {
		return func(r page.Ask) (page.Page[view.Booking], error) {
			return e.service.ListOfEvent(t.Context(), me, event.ID, s, r)
		}
	}
	if got := readAll(t, slotList(nil)); !slices.Equal(got, ofOne) {
		t.Errorf("slot: got %v, want %v", got, ofOne)
	}
	if got := readAll(t, slotList(booking.Statuses{"waitlisted"})); !slices.Equal(got, waiting) {
		t.Errorf("waiting: got %v, want %v", got, waiting)
	}
	if got := readAll(t, eventList(nil)); !slices.Equal(got, ofEvent) {
		t.Errorf("event: got %v, want %v", got, ofEvent)
	}
	slices.Reverse(waiting)
	if got := readAll(t, eventList(booking.Statuses{"waitlisted", "expired"})); !slices.Equal(got, waiting) {
		t.Errorf("waiting: got %v, want %v", got, waiting)
	}
	l, err := e.service.ListOfEvent(t.Context(), me, event.ID, booking.Statuses{"waitlisted"}, page.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range l.Items {
		if b.Position != len(l.Items)-i {
			t.Errorf("position %d at %d", b.Position, i)
		}
	}
}

func TestOnlyManagersListBookings(t *testing.T) {
	t.Parallel()
	e := open(t)
	published, draft := testkit.Event(t, e.pool), testkit.Event(t, e.pool, func(event *db.Event) { event.Status = "draft" })
	slot, hidden := testkit.Slot(t, e.pool, published.ID), testkit.Slot(t, e.pool, draft.ID)
	stranger := testkit.User(t, e.pool, access.Organizer)
	try := func(caller access.Caller, eventID, slotID uuid.UUID, code *fault.Code) {
		t.Helper()
		_, err := e.service.ListOfEvent(t.Context(), caller, eventID, nil, page.Ask{})
		wantFault(t, err, code)
		_, err = e.service.ListOfSlot(t.Context(), caller, slotID, nil, page.Ask{})
		wantFault(t, err, code)
	}
	try(stranger, published.ID, slot.ID, fault.NotPermitted)
	try(stranger, draft.ID, hidden.ID, fault.NotFound)
	try(stranger, uuid.New(), uuid.New(), fault.NotFound)
	admin := testkit.User(t, e.pool, access.Admin)
	if _, err := e.service.ListOfEvent(t.Context(), admin, draft.ID, nil, page.Ask{}); err != nil {
		t.Error(err)
	}
}

func TestListsAreShownInPages(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID)
	me := organizerOf(event)
	mine := e.mustBook(t, me, slot.ID, 1)
	e.mustBook(t, e.attendee(t), slot.ID, 1)
	ctx := page.WithURL(access.WithCaller(t.Context(), me), &url.URL{Path: "/list"})
	one, confirmed, all := 1, api.BookingStatusFilter{"confirmed"}, api.BookingWhen("all")
	check := func(name string, body api.BookingList, link *string, err error, more bool) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if len(body.Data) != 1 || body.HasMore != more || body.NextCursor.IsNull() == more || (link != nil) != more {
			t.Errorf("%s: %+v, link %v", name, body, link)
		}
	}
	a, err := e.handler.ListMyBookings(ctx, api.ListMyBookingsRequestObject{Params: api.ListMyBookingsParams{Status: confirmed, When: &all}})
	own := a.(api.ListMyBookings200JSONResponse)
	check("mine", own.Body, own.Headers.Link, err, false)
	b, err := e.handler.ListConflicts(ctx, api.ListConflictsRequestObject{Params: api.ListConflictsParams{StartsAt: mine.StartsAt, EndsAt: mine.EndsAt}})
	conflicts := b.(api.ListConflicts200JSONResponse)
	check("conflicts", conflicts.Body, conflicts.Headers.Link, err, false)
	c, err := e.handler.ListSlotBookings(ctx, api.ListSlotBookingsRequestObject{SlotID: slot.ID, Params: api.ListSlotBookingsParams{Limit: &one}})
	ofSlot := c.(api.ListSlotBookings200JSONResponse)
	check("slot", ofSlot.Body, ofSlot.Headers.Link, err, true)
	d, err := e.handler.ListEventBookings(ctx, api.ListEventBookingsRequestObject{EventID: event.ID, Params: api.ListEventBookingsParams{Limit: &one}})
	ofEvent := d.(api.ListEventBookings200JSONResponse)
	check("event", ofEvent.Body, ofEvent.Headers.Link, err, true)
}

// ids are those of the bookings, in their order.
func ids(bookings []view.Booking) []uuid.UUID {
	list := make([]uuid.UUID, len(bookings))
	for i, b := range bookings {
		list[i] = b.ID
	}
	return list
}
