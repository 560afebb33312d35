package booking_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// chain has three bookings of a slot with one seat: the first is cancelled, so the
// second is promoted; that is cancelled too, so the third is promoted.
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

func TestHistoryHasAllEntriesOfTheBooking(t *testing.T) {
	t.Parallel()
	c := openChain(t)

	one, cursor, kinds := 1, (*string)(nil), ""
	for {
		history, err := c.service.History(t.Context(), c.users[1], c.second.ID, page.Ask{Limit: &one, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range history.Items {
			kinds += e.Kind + " "
			if *e.BookingID != c.second.ID || *e.UserID != c.users[1].UserID {
				t.Errorf("entry %d hides the caller's own ids", e.Version)
			}
		}
		if history.Next == "" {
			break
		}
		cursor = &history.Next
	}
	if kinds != "waitlisted promoted cancelled " {
		t.Errorf("kinds: %s", kinds)
	}
}

// The owner learns why their booking was cancelled, but not by whom.
func TestHistoryHidesOtherActors(t *testing.T) {
	t.Parallel()
	e := open(t)
	event, owner := testkit.Event(t, e.pool), e.attendee(t)
	b := e.mustBook(t, owner, testkit.Slot(t, e.pool, event.ID).ID, 1)
	if _, err := e.cancel(organizerOf(event), b.ID, "Paid twice."); err != nil {
		t.Fatal(err)
	}
	last := func(caller access.Caller) db.Ledger {
		t.Helper()
		history, err := e.service.History(t.Context(), caller, b.ID, page.Ask{})
		if err != nil {
			t.Fatal(err)
		}
		return history.Items[len(history.Items)-1]
	}
	if e := last(owner); e.ActorID != nil || *e.UserID != owner.UserID || *e.Reason != "Paid twice." {
		t.Errorf("the owner sees %+v", e)
	}
	if e := last(organizerOf(event)); *e.ActorID != event.OrganizerID {
		t.Errorf("the organizer sees %+v", e)
	}
}

func TestChainLinksTheCauseAndTheConsequence(t *testing.T) {
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
			t.Errorf("other users are shown: %+v", e)
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

// In a slot of another event, an organizer sees no more than others.
func TestChainFollowsCausesIntoOtherSlots(t *testing.T) {
	t.Parallel()
	e := open(t)
	event, foreign, busy := testkit.Event(t, e.pool), testkit.Event(t, e.pool), e.attendee(t)
	slot, elsewhere := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1)), testkit.Slot(t, e.pool, foreign.ID)
	holder := e.attendee(t)
	first := e.mustBook(t, holder, slot.ID, 1)
	waiting := e.mustBook(t, busy, slot.ID, 1)
	blocker := e.mustBook(t, busy, elsewhere.ID, 1)
	if _, err := e.cancel(holder, first.ID, ""); err != nil {
		t.Fatal(err)
	}
	e.promote(t, slot.ID) // blocks
	if _, err := e.cancel(busy, blocker.ID, "I would rather be there."); err != nil {
		t.Fatal(err)
	}
	e.promote(t, slot.ID) // unblocks, and promotes because of that

	mine, err := e.service.Chain(t.Context(), busy, waiting.ID)
	if err != nil || len(mine.Causes) != 1 {
		t.Fatalf("%v, %+v", err, mine)
	}
	if e := mine.Causes[0].Entry; e.SlotID != elsewhere.ID || e.Kind != "cancelled" || *e.BookingID != blocker.ID {
		t.Errorf("the attendee sees %+v", e)
	}
	theirs, err := e.service.Chain(t.Context(), organizerOf(event), waiting.ID)
	if err != nil || len(theirs.Causes) != 1 {
		t.Fatalf("%v, %+v", err, theirs)
	}
	if e := theirs.Causes[0].Entry; e.BookingID != nil || e.UserID != nil || e.Reason != nil {
		t.Errorf("the organizer of another event sees %+v", e)
	}
	all, err := e.service.Chain(t.Context(), testkit.User(t, e.pool, access.Admin), blocker.ID)
	if err != nil || len(all.Consequences) != 2 {
		t.Fatalf("%v, %+v", err, all)
	}
	if a, b := all.Consequences[0], all.Consequences[1]; a.Entry.Kind != "unblocked" || a.Depth != 1 || b.Entry.Kind != "promoted" || b.Depth != 2 {
		t.Errorf("got %+v", all.Consequences)
	}
}

func TestChainHasAtMostAHundredLinks(t *testing.T) {
	testkit.SkipIfShort(t, "it makes 111 bookings")
	t.Parallel()
	e := open(t)
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(110))
	group := e.attendee(t)
	all := e.mustBook(t, group, slot.ID, 110)
	for range 110 {
		testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	}
	if _, err := e.cancel(group, all.ID, ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		e.promote(t, slot.ID)
	}
	got, err := e.service.Chain(t.Context(), group, all.ID)
	if err != nil || len(got.Consequences) != 100 || !got.Truncated {
		t.Errorf("%v; %d consequences, truncated %v", err, len(got.Consequences), got.Truncated)
	}
}

func TestHistoryAndChainAreShown(t *testing.T) {
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
	_, err = c.service.History(t.Context(), c.users[0], uuid.New(), page.Ask{})
	if err == nil {
		t.Error("a booking that does not exist has a history")
	}
}
