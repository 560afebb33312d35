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

// offers is a slot whose only seat is offered to the first of those who wait.
func (h env) offers(t *testing.T) (event db.Event, offered, next seating.Booking) {
	t.Helper()
	event = testkit.Event(t, h.pool, func(e *db.Event) { e.WaitlistMode = "offer" })
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1))
	first := testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)
	offered = testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)
	next = testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)
	h.cancel(t, first)
	h.promote(t, slot.ID)
	if status := h.status(t, offered); status != "offered" {
		t.Fatalf("the next is %s", status)
	}
	return event, offered, next
}

func (h env) promote(t *testing.T, slotID uuid.UUID) {
	t.Helper()
	if _, err := h.service.Promote(t.Context(), testkit.Caller(uuid.Nil, access.Admin), slotID, desk.Submission{}); err != nil {
		t.Fatal(err)
	}
}

func (h env) accept(t *testing.T, caller access.Caller, b seating.Booking) error {
	t.Helper()
	_, err := h.service.Accept(t.Context(), caller, b.ID, desk.Submission{})
	return err
}

func (h env) decline(t *testing.T, caller access.Caller, b seating.Booking) error {
	t.Helper()
	_, err := h.service.Decline(t.Context(), caller, b.ID, desk.Submission{})
	return err
}

func owner(b seating.Booking) access.Caller { return testkit.Caller(b.UserID, access.Attendee) }

// actor is who made the last entry about a booking.
func (h env) actor(t *testing.T, b seating.Booking) (actor string) {
	t.Helper()
	if err := h.pool.QueryRow(t.Context(), "SELECT actor FROM ledger WHERE booking_id = $1 ORDER BY version DESC LIMIT 1", b.ID).Scan(&actor); err != nil {
		t.Fatal(err)
	}
	return actor
}

func TestAccept(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, offered, next := h.offers(t)
	wants(t, h.accept(t, owner(next), next), fault.InvalidTransition) // it only waits
	for range 2 {                                                     // twice is once
		if err := h.accept(t, owner(offered), offered); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := h.status(t, offered), h.status(t, next); a != "confirmed" || b != "waitlisted" || h.actor(t, offered) != "attendee" {
		t.Errorf("%s, %s", a, b)
	}
	wants(t, h.decline(t, owner(offered), offered), fault.InvalidTransition)
}

func TestDeclinePassesTheSeatsOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, offered, next := h.offers(t)
	for range 2 {
		if err := h.decline(t, owner(offered), offered); err != nil {
			t.Fatal(err)
		}
	}
	h.promote(t, offered.SlotID)
	if a, b := h.status(t, offered), h.status(t, next); a != "cancelled" || b != "offered" {
		t.Errorf("%s, %s", a, b)
	}
	wants(t, h.accept(t, owner(offered), offered), fault.InvalidTransition)
}

func TestExpiredOfferCannotBeAccepted(t *testing.T) {
	t.Parallel()
	h := open(t)
	_, offered, _ := h.offers(t)
	h.exec(t, "UPDATE bookings SET expires_at = clock_timestamp() WHERE id = $1", offered.ID)
	wants(t, h.accept(t, owner(offered), offered), fault.OfferExpired)
}

// The owner and who manages the event answer; for everybody else there is no such booking.
func TestWhoAnswersOffers(t *testing.T) {
	t.Parallel()
	h := open(t)
	event, offered, next := h.offers(t)
	for _, stranger := range []access.Caller{owner(next), testkit.User(t, h.pool, access.Organizer)} {
		wants(t, h.accept(t, stranger, offered), fault.NotFound)
		wants(t, h.decline(t, stranger, offered), fault.NotFound)
	}
	wants(t, h.accept(t, owner(next), seating.Booking{ID: uuid.New()}), fault.NotFound)
	if err := h.decline(t, testkit.Caller(event.OrganizerID, access.Organizer), offered); err != nil || h.actor(t, offered) != "organizer" {
		t.Errorf("%v, by %s", err, h.actor(t, offered))
	}
	h.promote(t, next.SlotID)
	if err := h.accept(t, testkit.User(t, h.pool, access.Admin), next); err != nil || h.actor(t, next) != "admin" {
		t.Errorf("%v, by %s", err, h.actor(t, next))
	}
}

// The answer to a repeated key is the first one, byte for byte, with its tag.
func TestOfferAnswersAreKept(t *testing.T) {
	t.Parallel()
	h := open(t)
	for status, answer := range map[string]func(context.Context, uuid.UUID, *httptest.ResponseRecorder) error{
		"confirmed": func(ctx context.Context, id uuid.UUID, w *httptest.ResponseRecorder) error {
			r, err := h.handler.AcceptOffer(ctx, api.AcceptOfferRequestObject{BookingID: id})
			if err != nil {
				return err
			}
			return r.VisitAcceptOfferResponse(w)
		},
		"cancelled": func(ctx context.Context, id uuid.UUID, w *httptest.ResponseRecorder) error {
			r, err := h.handler.DeclineOffer(ctx, api.DeclineOfferRequestObject{BookingID: id})
			if err != nil {
				return err
			}
			return r.VisitDeclineOfferResponse(w)
		},
	} {
		_, offered, next := h.offers(t)
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
			t.Error("the repeat is not the first answer again")
		}
		wants(t, answer(access.WithCaller(t.Context(), owner(next)), offered.ID, httptest.NewRecorder()), fault.NotFound)
	}
}

// Acceptance against expiry, and a decline against more capacity: whoever comes
// first, the seat has one owner and the doctor finds nothing.
func TestOfferRaces(t *testing.T) {
	t.Parallel()
	h := open(t)
	for range 20 {
		_, offered, next := h.offers(t)
		h.exec(t, "UPDATE bookings SET expires_at = clock_timestamp() + interval '2 milliseconds' WHERE id = $1", offered.ID)
		h.together(t,
			func() error { return h.accept(t, owner(offered), offered) },
			func() error {
				_, err := h.desk.Do(t.Context(), desk.Submission{Command: seating.Expire{SlotID: offered.SlotID}})
				return err
			})
		h.promote(t, offered.SlotID)
		switch a, b := h.status(t, offered), h.status(t, next); a + " " + b {
		case "confirmed waitlisted", "expired offered":
		default:
			t.Errorf("%s, %s", a, b)
		}
		_, offered, next = h.offers(t)
		two := 2
		h.together(t,
			func() error { return h.decline(t, owner(offered), offered) },
			func() error {
				_, err := h.desk.Do(t.Context(), desk.Submission{Command: seating.EditSlot{SlotID: offered.SlotID, Capacity: &two, By: seating.System("")}})
				return err
			})
		h.promote(t, offered.SlotID)
		if a, b := h.status(t, offered), h.status(t, next); a != "cancelled" || b != "offered" {
			t.Errorf("%s, %s", a, b)
		}
	}
	testkit.Sound(t, h.pool)
}

// together does things at once; each is done or refused.
func (h env) together(t *testing.T, do ...func() error) {
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
