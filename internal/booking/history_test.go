package booking_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// chain is three attendees of a slot with one seat: the first cancels and the
// second is promoted, cancels too, and the third is.
type chain struct {
	env
	event                db.Event
	users                [3]access.Caller
	first, second, third seating.Booking
}

func openChain(t *testing.T) chain {
	t.Helper()
	c := chain{env: open(t)}
	c.event = testkit.Event(t, c.pool)
	slot := testkit.Slot(t, c.pool, c.event.ID, testkit.Capacity(1))
	var bookings [3]seating.Booking
	for i := range bookings {
		c.users[i] = c.attendee(t)
		bookings[i] = c.mustBook(t, c.users[i], slot.ID, 1)
	}
	for i := range 2 {
		if _, err := c.cancel(c.users[i], bookings[i].ID, "My own affair."); err != nil {
			t.Fatal(err)
		}
		c.promote(t, slot.ID)
	}
	c.first, c.second, c.third = bookings[0], bookings[1], bookings[2]
	return c
}

func TestHistory(t *testing.T) {
	t.Parallel()
	c := openChain(t)

	one, cursor, kinds := 1, (*string)(nil), ""
	for {
		page, err := c.service.History(t.Context(), c.users[1], c.second.ID, &one, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			kinds += e.Kind + " "
			if *e.BookingID != c.second.ID || *e.UserID != c.users[1].UserID {
				t.Errorf("entry %d hides what is one's own", e.Version)
			}
		}
		if page.Next == "" {
			break
		}
		cursor = &page.Next
	}
	if kinds != "waitlisted promoted cancelled " {
		t.Errorf("kinds: %s", kinds)
	}
}

// Who cancelled somebody's booking is the organizer's to know; why is for both.
func TestHistoryHidesActors(t *testing.T) {
	t.Parallel()
	h := open(t)
	event, owner := testkit.Event(t, h.pool), h.attendee(t)
	b := h.mustBook(t, owner, testkit.Slot(t, h.pool, event.ID).ID, 1)
	if _, err := h.cancel(organizerOf(event), b.ID, "Paid twice."); err != nil {
		t.Fatal(err)
	}
	last := func(caller access.Caller) db.Ledger {
		t.Helper()
		page, err := h.service.History(t.Context(), caller, b.ID, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return page.Entries[len(page.Entries)-1]
	}
	if e := last(owner); e.ActorID != nil || *e.UserID != owner.UserID || *e.Reason != "Paid twice." {
		t.Errorf("the owner sees %+v", e)
	}
	if e := last(organizerOf(event)); *e.ActorID != event.OrganizerID {
		t.Errorf("the organizer sees %+v", e)
	}
}

func TestChain(t *testing.T) {
	t.Parallel()
	c := openChain(t)

	mine, err := c.service.Chain(t.Context(), c.users[1], c.second.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(mine.Causes) != 1 || len(mine.Consequences) != 1 || mine.Truncated {
		t.Fatalf("got %+v", mine)
	}
	cause, consequence := mine.Causes[0], mine.Consequences[0]
	if cause.Depth != 1 || cause.Entry.Kind != "cancelled" || consequence.Depth != 1 || consequence.Entry.Kind != "promoted" {
		t.Errorf("got %+v", mine)
	}
	for _, e := range []db.Ledger{cause.Entry, consequence.Entry} {
		if e.BookingID != nil || e.UserID != nil || e.ActorID != nil || e.Reason != nil {
			t.Errorf("others are named: %+v", e)
		}
	}

	whole, err := c.service.Chain(t.Context(), organizerOf(c.event), c.second.ID)
	if err != nil {
		t.Fatal(err)
	}
	if e := whole.Causes[0].Entry; *e.BookingID != c.first.ID || *e.UserID != c.users[0].UserID || *e.ActorID != c.users[0].UserID || *e.Reason != "My own affair." {
		t.Errorf("the organizer sees %+v", e)
	}
	if e := whole.Consequences[0].Entry; *e.BookingID != c.third.ID {
		t.Errorf("the organizer sees %+v", e)
	}
}

// A chain leads into other slots; there an organizer is a stranger like others.
func TestChainAcrossSlots(t *testing.T) {
	t.Parallel()
	h := open(t)
	event, foreign, busy := testkit.Event(t, h.pool), testkit.Event(t, h.pool), h.attendee(t)
	slot, elsewhere := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1)), testkit.Slot(t, h.pool, foreign.ID)
	holder := h.attendee(t)
	first := h.mustBook(t, holder, slot.ID, 1)
	waiting := h.mustBook(t, busy, slot.ID, 1)
	blocker := h.mustBook(t, busy, elsewhere.ID, 1)
	if _, err := h.cancel(holder, first.ID, ""); err != nil {
		t.Fatal(err)
	}
	h.promote(t, slot.ID) // blocks
	if _, err := h.cancel(busy, blocker.ID, "I would rather be there."); err != nil {
		t.Fatal(err)
	}
	h.promote(t, slot.ID) // unblocks, and promotes because of that

	mine, err := h.service.Chain(t.Context(), busy, waiting.ID)
	if err != nil || len(mine.Causes) != 1 {
		t.Fatalf("%v, %+v", err, mine)
	}
	if e := mine.Causes[0].Entry; e.SlotID != elsewhere.ID || e.Kind != "cancelled" || *e.BookingID != blocker.ID {
		t.Errorf("the attendee sees %+v", e)
	}
	theirs, err := h.service.Chain(t.Context(), organizerOf(event), waiting.ID)
	if err != nil || len(theirs.Causes) != 1 {
		t.Fatalf("%v, %+v", err, theirs)
	}
	if e := theirs.Causes[0].Entry; e.BookingID != nil || e.UserID != nil || e.Reason != nil {
		t.Errorf("the organizer of another event sees %+v", e)
	}
	all, err := h.service.Chain(t.Context(), testkit.User(t, h.pool, access.Admin), blocker.ID)
	if err != nil || len(all.Consequences) != 2 {
		t.Fatalf("%v, %+v", err, all)
	}
	if a, b := all.Consequences[0], all.Consequences[1]; a.Entry.Kind != "unblocked" || a.Depth != 1 || b.Entry.Kind != "promoted" || b.Depth != 2 {
		t.Errorf("got %+v", all.Consequences)
	}
}

func TestChainIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(110))
	group := h.attendee(t)
	all := h.mustBook(t, group, slot.ID, 110)
	for range 110 {
		testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)
	}
	if _, err := h.cancel(group, all.ID, ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h.promote(t, slot.ID)
	}
	got, err := h.service.Chain(t.Context(), group, all.ID)
	if err != nil || len(got.Consequences) != 100 || !got.Truncated {
		t.Errorf("%v; %d consequences, truncated %v", err, len(got.Consequences), got.Truncated)
	}
}

func TestHistoryAndChainHandlers(t *testing.T) {
	t.Parallel()
	c := openChain(t)
	ctx := access.WithCaller(t.Context(), c.users[1])
	history, err := c.handler.GetBookingHistory(ctx, api.GetBookingHistoryRequestObject{BookingID: c.second.ID})
	if err != nil {
		t.Fatal(err)
	}
	entries := history.(api.GetBookingHistory200JSONResponse).Body
	if len(entries.Data) != 3 || entries.HasMore || entries.Data[0].Cause.IsNull() == false || entries.Data[1].Cause.IsNull() {
		t.Errorf("got %+v", entries)
	}
	linked, err := c.handler.GetBookingChain(ctx, api.GetBookingChainRequestObject{BookingID: c.second.ID})
	if err != nil {
		t.Fatal(err)
	}
	got := linked.(api.GetBookingChain200JSONResponse)
	if got.BookingID != c.second.ID || len(got.Causes) != 1 || len(got.Consequences) != 1 {
		t.Errorf("got %+v", got)
	}
	if ref := entries.Data[1].Cause.MustGet(); ref.Version != got.Causes[0].Entry.Version || got.Causes[0].Entry.At.Location() != time.UTC {
		t.Errorf("the promotion names %+v, the chain %+v", ref, got.Causes[0])
	}
	_, err = c.service.History(t.Context(), c.users[0], uuid.New(), nil, nil)
	if err == nil {
		t.Error("a history of nothing")
	}
}
