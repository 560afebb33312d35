package waitlist_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// offers makes a slot whose only seat is offered to the first in the queue.
func (e env) offers(t *testing.T) (event db.Event, offered, next seating.Booking) {
	t.Helper()
	event = testkit.Event(t, e.pool, func(event *db.Event) { event.WaitlistMode = "offer" })
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1))
	first := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	offered = testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	next = testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	e.cancel(t, first)
	e.promote(t, slot.ID)
	if status := e.status(t, offered); status != "offered" {
		t.Fatalf("the next is %s", status)
	}
	return event, offered, next
}

func (e env) promote(t *testing.T, slotID uuid.UUID) {
	t.Helper()
	if _, err := e.service.Promote(t.Context(), testkit.Caller(uuid.Nil, access.Admin), slotID, desk.Submission{}); err != nil {
		t.Fatal(err)
	}
}

func (e env) accept(t *testing.T, caller access.Caller, b seating.Booking) error {
	t.Helper()
	_, err := e.service.Accept(t.Context(), caller, b.ID, desk.Submission{})
	return err
}

func (e env) decline(t *testing.T, caller access.Caller, b seating.Booking) error {
	t.Helper()
	_, err := e.service.Decline(t.Context(), caller, b.ID, desk.Submission{})
	return err
}

func owner(b seating.Booking) access.Caller { return testkit.Caller(b.UserID, access.Attendee) }

// actor is the role recorded by the last entry about a booking.
func (e env) actor(t *testing.T, b seating.Booking) (actor string) {
	t.Helper()
	if err := e.pool.QueryRow(t.Context(), "SELECT actor FROM ledger WHERE booking_id = $1 ORDER BY version DESC LIMIT 1", b.ID).Scan(&actor); err != nil {
		t.Fatal(err)
	}
	return actor
}

func TestOfferIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	e := open(t)
	_, offered, next := e.offers(t)
	wantFault(t, e.accept(t, owner(next), next), fault.InvalidTransition) // it was offered nothing
	for range 2 {                                                         // repeating it changes nothing
		if err := e.accept(t, owner(offered), offered); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := e.status(t, offered), e.status(t, next); a != "confirmed" || b != "waitlisted" || e.actor(t, offered) != "attendee" {
		t.Errorf("%s, %s", a, b)
	}
	wantFault(t, e.decline(t, owner(offered), offered), fault.InvalidTransition)
}

func TestDeclinedSeatsAreOfferedToTheNext(t *testing.T) {
	t.Parallel()
	e := open(t)
	_, offered, next := e.offers(t)
	for range 2 {
		if err := e.decline(t, owner(offered), offered); err != nil {
			t.Fatal(err)
		}
	}
	e.promote(t, offered.SlotID)
	if a, b := e.status(t, offered), e.status(t, next); a != "cancelled" || b != "offered" {
		t.Errorf("%s, %s", a, b)
	}
	wantFault(t, e.accept(t, owner(offered), offered), fault.InvalidTransition)
}

func TestExpiredOfferCannotBeAccepted(t *testing.T) {
	t.Parallel()
	e := open(t)
	_, offered, _ := e.offers(t)
	e.exec(t, "UPDATE bookings SET expires_at = clock_timestamp() WHERE id = $1", offered.ID)
	wantFault(t, e.accept(t, owner(offered), offered), fault.OfferExpired)
}

// For everybody else there is no such booking.
func TestOwnerAndManagersAnswerOffers(t *testing.T) {
	t.Parallel()
	e := open(t)
	event, offered, next := e.offers(t)
	for _, stranger := range []access.Caller{owner(next), testkit.User(t, e.pool, access.Organizer)} {
		wantFault(t, e.accept(t, stranger, offered), fault.NotFound)
		wantFault(t, e.decline(t, stranger, offered), fault.NotFound)
	}
	wantFault(t, e.accept(t, owner(next), seating.Booking{ID: uuid.New()}), fault.NotFound)
	if err := e.decline(t, testkit.Caller(event.OrganizerID, access.Organizer), offered); err != nil || e.actor(t, offered) != "organizer" {
		t.Errorf("%v, by %s", err, e.actor(t, offered))
	}
	e.promote(t, next.SlotID)
	if err := e.accept(t, testkit.User(t, e.pool, access.Admin), next); err != nil || e.actor(t, next) != "admin" {
		t.Errorf("%v, by %s", err, e.actor(t, next))
	}
}

func TestRepeatedAnswerGetsTheFirstResponse(t *testing.T) {
	t.Parallel()
	e := open(t)
	for status, answer := range map[string]func(context.Context, uuid.UUID, *httptest.ResponseRecorder) error{
		"confirmed": func(ctx context.Context, id uuid.UUID, w *httptest.ResponseRecorder) error {
			r, err := e.handler.AcceptOffer(ctx, api.AcceptOfferRequestObject{BookingID: id})
			if err != nil {
				return err
			}
			return r.VisitAcceptOfferResponse(w)
		},
		"cancelled": func(ctx context.Context, id uuid.UUID, w *httptest.ResponseRecorder) error {
			r, err := e.handler.DeclineOffer(ctx, api.DeclineOfferRequestObject{BookingID: id})
			if err != nil {
				return err
			}
			return r.VisitDeclineOfferResponse(w)
		},
	} {
		_, offered, next := e.offers(t)
		key := &idempotency.Key{UserID: offered.UserID, Value: "once", Fingerprint: make([]byte, 32)}
		ctx := idempotency.With(access.WithCaller(t.Context(), owner(offered)), key)
		first, again := httptest.NewRecorder(), httptest.NewRecorder()
		for _, w := range []*httptest.ResponseRecorder{first, again} {
			if err := answer(ctx, offered.ID, w); err != nil {
				t.Fatal(err)
			}
		}
		var b api.Booking
		if err := json.Unmarshal(first.Body.Bytes(), &b); err != nil {
			t.Fatal(err)
		}
		if string(b.Status) != status || first.Header().Get("ETag") == "" || !b.ExpiresAt.IsNull() {
			t.Errorf("got %+v, %v", b, first.Header())
		}
		if again.Body.String() != first.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" {
			t.Error("the repeat did not get the first response")
		}
		wantFault(t, answer(access.WithCaller(t.Context(), owner(next)), offered.ID, httptest.NewRecorder()), fault.NotFound)
	}
}

// An offer is accepted while it expires, or declined while the capacity rises.
// Whichever comes first, the seat has one owner and the doctor finds nothing.
func TestRacesAboutAnOfferLeaveOneOwner(t *testing.T) {
	testkit.SkipIfShort(t, "it runs 40 races")
	t.Parallel()
	e := open(t)
	for range 20 {
		_, offered, next := e.offers(t)
		e.exec(t, "UPDATE bookings SET expires_at = clock_timestamp() + interval '2 milliseconds' WHERE id = $1", offered.ID)
		e.together(t,
			func() error { return e.accept(t, owner(offered), offered) },
			func() error {
				_, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.Expire{SlotID: offered.SlotID}})
				return err
			})
		e.promote(t, offered.SlotID)
		switch a, b := e.status(t, offered), e.status(t, next); a + " " + b {
		case "confirmed waitlisted", "expired offered":
		default:
			t.Errorf("%s, %s", a, b)
		}
		_, offered, next = e.offers(t)
		two := 2
		e.together(t,
			func() error { return e.decline(t, owner(offered), offered) },
			func() error {
				_, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.EditSlot{SlotID: offered.SlotID, Capacity: &two, By: seating.System("")}})
				return err
			})
		e.promote(t, offered.SlotID)
		if a, b := e.status(t, offered), e.status(t, next); a != "cancelled" || b != "offered" {
			t.Errorf("%s, %s", a, b)
		}
	}
	testkit.Sound(t, e.pool)
}

// together runs functions at the same time; each must succeed or be refused.
func (e env) together(t *testing.T, do ...func() error) {
	t.Helper()
	results := make(chan error)
	for _, f := range do {
		go func() { results <- f() }()
	}
	for range do {
		if err := <-results; err != nil && fault.Of(err) == nil {
			t.Error(err)
		}
	}
}
