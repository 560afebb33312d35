package booking_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/booking"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/view"
)

// env is a database with a desk and the room on it.
type env struct {
	pool    *pgxpool.Pool
	desk    *desk.Desk
	service *booking.Service
	handler *booking.Handler
}

func open(t *testing.T, opts ...testkit.Option) env {
	t.Helper()
	pool := testkit.DatabaseWith(t, opts...)
	desk := testkit.Desk(t, pool)
	service := booking.New(pool, desk)
	return env{pool, desk, service, booking.NewHandler(service)}
}

func (h env) attendee(t *testing.T) access.Caller {
	t.Helper()
	return testkit.User(t, h.pool, access.Attendee)
}

func (h env) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := h.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// count is the answer to a query for one number.
func (h env) count(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	if err := h.pool.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// book is the caller asking for seats, waiting for them if need be.
func (h env) book(caller access.Caller, slotID uuid.UUID, seats int) (seating.Booking, error) {
	outcome, err := h.service.Book(context.Background(), caller, booking.Request{SlotID: slotID, Seats: seats, IfFull: seating.Wait}, desk.Submission{})
	return outcome.Result.Booking, err
}

func (h env) mustBook(t *testing.T, caller access.Caller, slotID uuid.UUID, seats int) seating.Booking {
	t.Helper()
	b, err := h.book(caller, slotID, seats)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h env) cancel(caller access.Caller, id uuid.UUID, reason string) (seating.Booking, error) {
	outcome, err := h.service.Cancel(context.Background(), caller, id, reason, desk.Submission{})
	return outcome.Result.Booking, err
}

func (h env) promote(t *testing.T, slotID uuid.UUID) {
	t.Helper()
	if _, err := h.desk.Do(t.Context(), desk.Submission{Command: seating.Promote{SlotID: slotID}}); err != nil {
		t.Fatal(err)
	}
}

func organizerOf(e db.Event) access.Caller { return testkit.Caller(e.OrganizerID, access.Organizer) }

// wants fails the test unless err is of the code.
func wants(t *testing.T, err error, code *fault.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, code.Name)
	}
}

func TestBook(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool)
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(2))
	first, second := h.attendee(t), h.attendee(t)

	b := h.mustBook(t, first, slot.ID, 2)
	if b.Status != seating.Confirmed || b.Seats != 2 || b.ID.Version() != 7 {
		t.Errorf("got %+v", b)
	}
	_, err := h.service.Book(t.Context(), second, booking.Request{SlotID: slot.ID, Seats: 1, IfFull: seating.Reject}, desk.Submission{})
	wants(t, err, fault.SlotFull)
	if b := h.mustBook(t, second, slot.ID, 1); b.Status != seating.Waitlisted {
		t.Errorf("got %+v", b)
	}
	_, err = h.book(first, slot.ID, 1)
	wants(t, err, fault.AlreadyBooked)
	_, err = h.book(first, testkit.Slot(t, h.pool, event.ID).ID, 1)
	wants(t, err, fault.BookingOverlap)

	draft := testkit.Event(t, h.pool, func(e *db.Event) { e.Status = "draft" })
	hidden := testkit.Slot(t, h.pool, draft.ID)
	_, err = h.book(first, hidden.ID, 1)
	wants(t, err, fault.NotFound)
	_, err = h.book(testkit.User(t, h.pool, access.Admin), hidden.ID, 1)
	wants(t, err, fault.EventNotPublished)
	_, err = h.book(first, uuid.New(), 1)
	wants(t, err, fault.NotFound)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool, func(e *db.Event) { e.CancellationClosesMinutes = 60 })
	soon := testkit.Slot(t, h.pool, event.ID, testkit.Times(30*time.Minute, 2*time.Hour))
	later := testkit.Slot(t, h.pool, event.ID)
	owner, admin := h.attendee(t), testkit.User(t, h.pool, access.Admin)

	// reasonless is a validation error that points at the reason.
	reasonless := func(err error) {
		t.Helper()
		wants(t, err, fault.ValidationFailed)
		if f := fault.Of(err); f == nil || len(f.Fields) != 1 || f.Fields[0].Pointer != "/reason" {
			t.Errorf("fields of %+v", f)
		}
	}
	actor := func(b seating.Booking) (actor, reason string) {
		t.Helper()
		err := h.pool.QueryRow(t.Context(), "SELECT actor, coalesce(reason, '') FROM ledger WHERE booking_id = $1 AND kind = 'cancelled'", b.ID).Scan(&actor, &reason)
		if err != nil {
			t.Fatal(err)
		}
		return actor, reason
	}

	t.Run("one's own, in time, without a reason, once", func(t *testing.T) {
		b := h.mustBook(t, owner, later.ID, 1)
		for range 2 {
			if got, err := h.cancel(owner, b.ID, ""); err != nil || got.Status != seating.Cancelled {
				t.Errorf("%v, %v", got, err)
			}
		}
		if who, _ := actor(b); who != "attendee" {
			t.Errorf("by %s", who)
		}
	})
	t.Run("too late for the attendee, not for who manages", func(t *testing.T) {
		b := h.mustBook(t, owner, soon.ID, 1)
		_, err := h.cancel(owner, b.ID, "")
		wants(t, err, fault.CancellationWindowClosed)
		_, err = h.cancel(organizerOf(event), b.ID, "  ")
		reasonless(err)
		if _, err = h.cancel(organizerOf(event), b.ID, " Paid twice. "); err != nil {
			t.Fatal(err)
		}
		if who, why := actor(b); who != "organizer" || why != "Paid twice." {
			t.Errorf("by %s because %q", who, why)
		}
	})
	t.Run("administrator", func(t *testing.T) {
		b := h.mustBook(t, owner, soon.ID, 1)
		_, err := h.cancel(admin, b.ID, "")
		reasonless(err)
		if _, err = h.cancel(admin, b.ID, "Fraud."); err != nil {
			t.Fatal(err)
		}
		if who, _ := actor(b); who != "admin" {
			t.Errorf("by %s", who)
		}
	})
	t.Run("the organizer's own booking, at any time", func(t *testing.T) {
		b := h.mustBook(t, organizerOf(event), soon.ID, 1)
		if _, err := h.cancel(organizerOf(event), b.ID, ""); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("others' bookings do not exist", func(t *testing.T) {
		b := h.mustBook(t, h.attendee(t), later.ID, 1)
		for _, caller := range []access.Caller{owner, testkit.User(t, h.pool, access.Organizer)} {
			_, err := h.cancel(caller, b.ID, "Because.")
			wants(t, err, fault.NotFound)
		}
		if n := h.count(t, "SELECT count(*) FROM ledger WHERE booking_id = $1", b.ID); n != 1 {
			t.Errorf("%d entries", n)
		}
	})
}

// What is answered to a POST is what a GET shows, tag included; a repeat is the
// first answer, byte for byte.
func TestHandlerBookAndCancel(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool)
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1))
	h.mustBook(t, h.attendee(t), slot.ID, 1)
	h.mustBook(t, h.attendee(t), slot.ID, 1)
	caller := h.attendee(t)
	ctx := access.WithCaller(t.Context(), caller)
	keyed := func(value string) context.Context {
		return idempotency.With(ctx, &idempotency.Key{UserID: caller.UserID, Value: value, Fingerprint: make([]byte, 32)})
	}

	wait := api.IfFull("waitlist")
	create := func(ctx context.Context) *httptest.ResponseRecorder {
		t.Helper()
		answer, err := h.handler.CreateBooking(ctx, api.CreateBookingRequestObject{SlotID: slot.ID, Body: &api.BookingCreate{Seats: new(1), IfFull: &wait}})
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
		t.Errorf("the repeat is not the first answer again: %s", again.Body)
	}

	got, err := h.handler.GetBooking(ctx, api.GetBookingRequestObject{BookingID: b.ID})
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

	cancelled, err := h.handler.CancelBooking(keyed("cancel"), api.CancelBookingRequestObject{BookingID: b.ID})
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

// Errors come through every operation as they are.
func TestHandlerErrors(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool)
	slot := testkit.Slot(t, h.pool, event.ID)
	b := h.mustBook(t, h.attendee(t), slot.ID, 1)
	ctx := access.WithCaller(t.Context(), h.attendee(t))
	reason, damaged := "Because.", "damaged"
	now := time.Now()

	_, err := h.handler.CreateBooking(ctx, api.CreateBookingRequestObject{SlotID: uuid.New(), Body: &api.BookingCreate{}})
	wants(t, err, fault.NotFound)
	_, err = h.handler.GetBooking(ctx, api.GetBookingRequestObject{BookingID: b.ID})
	wants(t, err, fault.NotFound)
	_, err = h.handler.CancelBooking(ctx, api.CancelBookingRequestObject{BookingID: b.ID, Body: &api.BookingCancellation{Reason: &reason}})
	wants(t, err, fault.NotFound)
	_, err = h.handler.GetBookingHistory(ctx, api.GetBookingHistoryRequestObject{BookingID: b.ID})
	wants(t, err, fault.NotFound)
	_, err = h.handler.GetBookingChain(ctx, api.GetBookingChainRequestObject{BookingID: b.ID})
	wants(t, err, fault.NotFound)
	_, err = h.handler.ListMyBookings(ctx, api.ListMyBookingsRequestObject{Params: api.ListMyBookingsParams{Cursor: &damaged}})
	wants(t, err, fault.InvalidCursor)
	_, err = h.handler.ListConflicts(ctx, api.ListConflictsRequestObject{Params: api.ListConflictsParams{StartsAt: now, EndsAt: now}})
	wants(t, err, fault.InvalidTimeRange)
	_, err = h.handler.ListSlotBookings(ctx, api.ListSlotBookingsRequestObject{SlotID: slot.ID})
	wants(t, err, fault.NotPermitted)
	_, err = h.handler.ListEventBookings(ctx, api.ListEventBookingsRequestObject{EventID: event.ID})
	wants(t, err, fault.NotPermitted)
}

func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.pool.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	admin := testkit.Caller(uuid.New(), access.Admin)
	_, err := h.service.Get(ctx, admin, uuid.New())
	wants(t, err, fault.DatabaseUnavailable)
	_, err = h.service.Preview(ctx, admin, uuid.New())
	wants(t, err, fault.DatabaseUnavailable)
	_, err = h.service.CheckIn(ctx, admin, uuid.New(), desk.Submission{})
	wants(t, err, fault.DatabaseUnavailable)
	_, err = h.service.Book(ctx, admin, booking.Request{Seats: 1, Replaces: uuid.New()}, desk.Submission{})
	wants(t, err, fault.DatabaseUnavailable)
	_, err = h.service.ListMine(ctx, admin, nil, booking.Always, booking.PageRequest{})
	wants(t, err, fault.DatabaseUnavailable)
	_, err = h.service.ListConflicts(ctx, admin, time.Now(), time.Now().Add(time.Hour), booking.PageRequest{})
	wants(t, err, fault.DatabaseUnavailable)
	_, err = h.service.ListOfEvent(ctx, admin, uuid.New(), nil, booking.PageRequest{})
	wants(t, err, fault.DatabaseUnavailable)
	wants(t, h.service.CancelBookingsOfDeletedUser(ctx, admin.UserID), fault.DatabaseUnavailable)
}

// ids are those of a page, in its order.
func ids(bookings []view.Booking) []uuid.UUID {
	list := make([]uuid.UUID, len(bookings))
	for i, b := range bookings {
		list[i] = b.ID
	}
	return list
}
