package booking_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/booking"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

func TestBookConfirmsWaitsOrRefuses(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(2))
	first, second := e.attendee(t), e.attendee(t)

	b := e.mustBook(t, first, slot.ID, 2)
	if b.Status != seating.Confirmed || b.Seats != 2 || b.ID.Version() != 7 {
		t.Errorf("got %+v", b)
	}
	_, err := e.service.Book(t.Context(), second, booking.Request{SlotID: slot.ID, Seats: 1, IfFull: seating.Reject}, desk.Submission{})
	wantFault(t, err, fault.SlotFull)
	if b := e.mustBook(t, second, slot.ID, 1); b.Status != seating.Waitlisted {
		t.Errorf("got %+v", b)
	}
	_, err = e.book(first, slot.ID, 1)
	wantFault(t, err, fault.AlreadyBooked)
	_, err = e.book(first, testkit.Slot(t, e.pool, event.ID).ID, 1)
	wantFault(t, err, fault.BookingOverlap)

	draft := testkit.Event(t, e.pool, func(event *db.Event) { event.Status = "draft" })
	hidden := testkit.Slot(t, e.pool, draft.ID)
	_, err = e.book(first, hidden.ID, 1)
	wantFault(t, err, fault.NotFound)
	_, err = e.book(testkit.User(t, e.pool, access.Admin), hidden.ID, 1)
	wantFault(t, err, fault.EventNotPublished)
	_, err = e.book(first, uuid.New(), 1)
	wantFault(t, err, fault.NotFound)
}

func TestWhoMayCancelUntilWhen(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.CancellationClosesMinutes = 60 })
	soon := testkit.Slot(t, e.pool, event.ID, testkit.Times(30*time.Minute, 2*time.Hour))
	later := testkit.Slot(t, e.pool, event.ID)
	owner, admin := e.attendee(t), testkit.User(t, e.pool, access.Admin)

	// wantNoReason expects a validation error that points at the reason.
	wantNoReason := func(err error) {
		t.Helper()
		wantFault(t, err, fault.ValidationFailed)
		if f := fault.Of(err); f == nil || len(f.Fields) != 1 || f.Fields[0].Pointer != "/reason" {
			t.Errorf("fields of %+v", f)
		}
	}
	actor := func(b seating.Booking) (actor, reason string) {
		t.Helper()
		err := e.pool.QueryRow(t.Context(), "SELECT actor, coalesce(reason, '') FROM ledger WHERE booking_id = $1 AND kind = 'cancelled'", b.ID).Scan(&actor, &reason)
		if err != nil {
			t.Fatal(err)
		}
		return actor, reason
	}

	t.Run("owner, in time, without a reason, twice", func(t *testing.T) {
		b := e.mustBook(t, owner, later.ID, 1)
		for range 2 {
			if got, err := e.cancel(owner, b.ID, ""); err != nil || got.Status != seating.Cancelled {
				t.Errorf("%v, %v", got, err)
			}
		}
		if who, _ := actor(b); who != "attendee" {
			t.Errorf("by %s", who)
		}
	})
	t.Run("too late for the owner, not for the organizer", func(t *testing.T) {
		b := e.mustBook(t, owner, soon.ID, 1)
		_, err := e.cancel(owner, b.ID, "")
		wantFault(t, err, fault.CancellationWindowClosed)
		_, err = e.cancel(organizerOf(event), b.ID, "  ")
		wantNoReason(err)
		if _, err = e.cancel(organizerOf(event), b.ID, " Paid twice. "); err != nil {
			t.Fatal(err)
		}
		if who, why := actor(b); who != "organizer" || why != "Paid twice." {
			t.Errorf("by %s because %q", who, why)
		}
	})
	t.Run("administrator", func(t *testing.T) {
		b := e.mustBook(t, owner, soon.ID, 1)
		_, err := e.cancel(admin, b.ID, "")
		wantNoReason(err)
		if _, err = e.cancel(admin, b.ID, "Fraud."); err != nil {
			t.Fatal(err)
		}
		if who, _ := actor(b); who != "admin" {
			t.Errorf("by %s", who)
		}
	})
	t.Run("organizer's own booking, at any time", func(t *testing.T) {
		b := e.mustBook(t, organizerOf(event), soon.ID, 1)
		if _, err := e.cancel(organizerOf(event), b.ID, ""); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("not found for others", func(t *testing.T) {
		b := e.mustBook(t, e.attendee(t), later.ID, 1)
		for _, caller := range []access.Caller{owner, testkit.User(t, e.pool, access.Organizer)} {
			_, err := e.cancel(caller, b.ID, "Because.")
			wantFault(t, err, fault.NotFound)
		}
		if n := e.count(t, "SELECT count(*) FROM ledger WHERE booking_id = $1", b.ID); n != 1 {
			t.Errorf("%d entries", n)
		}
	})
}

// A repeated key gets the same bytes.
func TestBookAndCancelRespondLikeGet(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1))
	e.mustBook(t, e.attendee(t), slot.ID, 1)
	e.mustBook(t, e.attendee(t), slot.ID, 1)
	caller := e.attendee(t)
	ctx := access.WithCaller(t.Context(), caller)
	keyed := func(value string) context.Context {
		return idempotency.With(ctx, &idempotency.Key{UserID: caller.UserID, Value: value, Fingerprint: make([]byte, 32)})
	}

	wait := api.IfFull("waitlist")
	create := func(ctx context.Context) *httptest.ResponseRecorder {
		t.Helper()
		answer, err := e.handler.CreateBooking(ctx, api.CreateBookingRequestObject{SlotID: slot.ID, Body: &api.BookingCreate{Seats: new(1), IfFull: &wait}})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := answer.VisitCreateBookingResponse(w); err != nil {
			t.Fatal(err)
		}
		return w
	}
	first, again := create(keyed("book")), create(keyed("book"))
	var b api.Booking
	if err := json.Unmarshal(first.Body.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	if first.Code != 201 || b.WaitlistPosition.MustGet() != 2 || b.Status != "waitlisted" || b.EventID != event.ID || b.Blocked ||
		first.Header().Get("Location") != "/api/v1/bookings/"+b.ID.String() {
		t.Errorf("%d %v %s", first.Code, first.Header(), first.Body)
	}
	if again.Body.String() != first.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("the repeat did not get the first response: %s", again.Body)
	}

	got, err := e.handler.GetBooking(ctx, api.GetBookingRequestObject{BookingID: b.ID})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := got.VisitGetBookingResponse(w); err != nil {
		t.Fatal(err)
	}
	if w.Body.String() != first.Body.String() || w.Header().Get("ETag") != first.Header().Get("ETag") {
		t.Errorf("GET shows\n%s %s, POST showed\n%s %s", w.Header().Get("ETag"), w.Body, first.Header().Get("ETag"), first.Body)
	}

	cancelled, err := e.handler.CancelBooking(keyed("cancel"), api.CancelBookingRequestObject{BookingID: b.ID})
	if err != nil {
		t.Fatal(err)
	}
	w = httptest.NewRecorder()
	if err := cancelled.VisitCancelBookingResponse(w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	if w.Code != 200 || b.Status != "cancelled" || !b.WaitlistPosition.IsNull() || w.Header().Get("ETag") == first.Header().Get("ETag") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestHandlerReturnsErrorsUnchanged(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID)
	b := e.mustBook(t, e.attendee(t), slot.ID, 1)
	ctx := access.WithCaller(t.Context(), e.attendee(t))
	reason, damaged := "Because.", "damaged"
	now := time.Now()

	_, err := e.handler.CreateBooking(ctx, api.CreateBookingRequestObject{SlotID: uuid.New(), Body: &api.BookingCreate{}})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.GetBooking(ctx, api.GetBookingRequestObject{BookingID: b.ID})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.CancelBooking(ctx, api.CancelBookingRequestObject{BookingID: b.ID, Body: &api.BookingCancellation{Reason: &reason}})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.GetBookingHistory(ctx, api.GetBookingHistoryRequestObject{BookingID: b.ID})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.GetBookingChain(ctx, api.GetBookingChainRequestObject{BookingID: b.ID})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.ListMyBookings(ctx, api.ListMyBookingsRequestObject{Params: api.ListMyBookingsParams{Cursor: &damaged}})
	wantFault(t, err, fault.InvalidCursor)
	_, err = e.handler.ListConflicts(ctx, api.ListConflictsRequestObject{Params: api.ListConflictsParams{StartsAt: now, EndsAt: now}})
	wantFault(t, err, fault.InvalidTimeRange)
	_, err = e.handler.ListSlotBookings(ctx, api.ListSlotBookingsRequestObject{SlotID: slot.ID})
	wantFault(t, err, fault.NotPermitted)
	_, err = e.handler.ListEventBookings(ctx, api.ListEventBookingsRequestObject{EventID: event.ID})
	wantFault(t, err, fault.NotPermitted)
}

func TestOperationsFailAsUnavailableWithoutADatabase(t *testing.T) {
	t.Parallel()
	e := open(t)
	e.pool.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	admin := testkit.Caller(uuid.New(), access.Admin)
	_, err := e.service.Get(ctx, admin, uuid.New())
	wantFault(t, err, fault.DatabaseUnavailable)
	_, err = e.service.Preview(ctx, admin, uuid.New())
	wantFault(t, err, fault.DatabaseUnavailable)
	_, err = e.service.CheckIn(ctx, admin, uuid.New(), desk.Submission{})
	wantFault(t, err, fault.DatabaseUnavailable)
	_, err = e.service.Book(ctx, admin, booking.Request{Seats: 1, Replaces: new(uuid.New())}, desk.Submission{})
	wantFault(t, err, fault.DatabaseUnavailable)
	_, err = e.service.ListMine(ctx, admin, nil, booking.Always, page.Ask{})
	wantFault(t, err, fault.DatabaseUnavailable)
	_, err = e.service.ListConflicts(ctx, admin, time.Now(), time.Now().Add(time.Hour), page.Ask{})
	wantFault(t, err, fault.DatabaseUnavailable)
	_, err = e.service.ListOfEvent(ctx, admin, uuid.New(), nil, page.Ask{})
	wantFault(t, err, fault.DatabaseUnavailable)
	_, err = e.service.CancelBookingsOfDeletedUser(ctx, admin.UserID)
	wantFault(t, err, fault.DatabaseUnavailable)
}
