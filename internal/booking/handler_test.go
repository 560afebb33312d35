package booking_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/testkit"
)

// sent records what a handler's response sends.
func sent(t *testing.T, err error, visit func(http.ResponseWriter) error) *httptest.ResponseRecorder {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := visit(w); err != nil {
		t.Fatal(err)
	}
	return w
}

func decoded[T any](t *testing.T, w *httptest.ResponseRecorder) (body T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return body
}

// withKey is the context of a caller's request with an idempotency key.
func withKey(t *testing.T, caller access.Caller, key string) context.Context {
	t.Helper()
	return idempotency.With(access.WithCaller(t.Context(), caller),
		&idempotency.Key{UserID: caller.UserID, Value: key, Fingerprint: make([]byte, 32)})
}

// Repeated with its key, each operation responds with the same bytes.
func TestOperationsOnABookingRespondLikeGet(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	one := testkit.Slot(t, e.pool, event.ID, hours(10))
	two := testkit.Slot(t, e.pool, event.ID, hours(20))
	owner, organizer := e.attendee(t), organizerOf(event)

	// twice does something two times with one key, and compares the responses.
	twice := func(caller access.Caller, status int, what string, do func(ctx context.Context) (func(http.ResponseWriter) error, error)) api.Booking {
		t.Helper()
		ctx := withKey(t, caller, what)
		visit, err := do(ctx)
		first := sent(t, err, visit)
		visit, err = do(ctx)
		again := sent(t, err, visit)
		b := decoded[api.Booking](t, first)
		if first.Code != status || again.Code != status || again.Body.String() != first.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("%s: %d %s, then %d %v %s", what, first.Code, first.Body, again.Code, again.Header(), again.Body)
		}
		if location := first.Header().Get("Location"); (location == "/api/v1/bookings/"+b.ID.String()) != (status == 201) {
			t.Errorf("%s: Location %q", what, location)
		}
		got, err := e.handler.GetBooking(ctx, api.GetBookingRequestObject{BookingID: b.ID})
		if err != nil {
			t.Fatal(err)
		}
		if w := sent(t, nil, got.VisitGetBookingResponse); !reflect.DeepEqual(decoded[api.Booking](t, w), b) || w.Header().Get("ETag") != first.Header().Get("ETag") {
			t.Errorf("%s: GET shows\n%s, it showed\n%s", what, w.Body, first.Body)
		}
		return b
	}

	held := twice(owner, 201, "hold", func(ctx context.Context) (func(http.ResponseWriter) error, error) {
		r, err := e.handler.CreateHold(ctx, api.CreateHoldRequestObject{SlotID: one.ID, Body: &api.HoldCreate{}})
		return r.VisitCreateHoldResponse, err
	})
	if held.Status != "held" || held.Seats != 1 || held.ExpiresAt.IsNull() || !held.CheckedInAt.IsNull() || !held.MovedFromBookingID.IsNull() {
		t.Errorf("hold %+v", held)
	}
	confirmed := twice(owner, 200, "confirm", func(ctx context.Context) (func(http.ResponseWriter) error, error) {
		r, err := e.handler.ConfirmBooking(ctx, api.ConfirmBookingRequestObject{BookingID: held.ID})
		return r.VisitConfirmBookingResponse, err
	})
	if confirmed.Status != "confirmed" || confirmed.ID != held.ID || !confirmed.ExpiresAt.IsNull() {
		t.Errorf("confirmed %+v", confirmed)
	}
	moved := twice(owner, 201, "move", func(ctx context.Context) (func(http.ResponseWriter) error, error) {
		r, err := e.handler.MoveBooking(ctx, api.MoveBookingRequestObject{BookingID: held.ID, Body: &api.BookingMove{SlotID: two.ID}})
		return r.VisitMoveBookingResponse, err
	})
	if moved.MovedFromBookingID.MustGet() != held.ID || moved.SlotID != two.ID {
		t.Errorf("moved %+v", moved)
	}
	in := twice(organizer, 200, "check in", func(ctx context.Context) (func(http.ResponseWriter) error, error) {
		r, err := e.handler.CheckInBooking(ctx, api.CheckInBookingRequestObject{BookingID: moved.ID})
		return r.VisitCheckInBookingResponse, err
	})
	if in.CheckedInAt.IsNull() || in.ID != moved.ID {
		t.Errorf("checked in %+v", in)
	}
	second := testkit.User(t, e.pool, access.Admin)
	r, err := e.handler.CheckInBooking(access.WithCaller(t.Context(), second), api.CheckInBookingRequestObject{BookingID: moved.ID})
	if again := decoded[api.CheckedInBooking](t, sent(t, err, r.VisitCheckInBookingResponse)); !again.AlreadyCheckedIn ||
		again.CheckedInBy.MustGet() != organizer.UserID || again.CheckedInAt.MustGet() != in.CheckedInAt.MustGet() {
		t.Errorf("checked in again: %+v", again)
	}

	undo, err := e.handler.UndoCheckIn(access.WithCaller(t.Context(), organizer), api.UndoCheckInRequestObject{BookingID: moved.ID})
	w := sent(t, err, undo.VisitUndoCheckInResponse)
	if out := decoded[api.Booking](t, w); w.Code != 200 || !out.CheckedInAt.IsNull() || w.Header().Get("ETag") == "" {
		t.Errorf("undone %d %s", w.Code, w.Body)
	}
}

func TestUpdateBookingMergesThePatch(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(4))
	small := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(4))
	owner := e.attendee(t)
	ctx := access.WithCaller(t.Context(), owner)
	e.mustBook(t, e.attendee(t), slot.ID, 4)
	kept := e.mustBook(t, owner, small.ID, 1)
	wait := api.IfFull("waitlist")
	created, err := e.handler.CreateBooking(ctx, api.CreateBookingRequestObject{SlotID: slot.ID, Body: &api.BookingCreate{
		Seats: new(3), SeatsMin: new(2), IfFull: &wait, ReplacesBookingID: nullable.NewNullableWithValue(kept.ID)}})
	w := sent(t, err, created.VisitCreateBookingResponse)
	b, tag := decoded[api.Booking](t, w), w.Header().Get("ETag")
	if b.SeatsMin.MustGet() != 2 || b.ReplacesBookingID.MustGet() != kept.ID || b.WaitlistPosition.MustGet() != 1 {
		t.Errorf("created %s", w.Body)
	}

	update := func(r api.UpdateBookingRequestObject, match *string) (api.Booking, string) {
		t.Helper()
		r.BookingID, r.Params.IfMatch = b.ID, match
		updated, err := e.handler.UpdateBooking(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		w := sent(t, nil, updated.VisitUpdateBookingResponse)
		return decoded[api.Booking](t, w), w.Header().Get("ETag")
	}
	got, next := update(api.UpdateBookingRequestObject{JSONBody: &api.BookingPatch{Seats: new(4), SeatsMin: nullable.NewNullableWithValue(3)}}, &tag)
	if got.Seats != 4 || got.SeatsMin.MustGet() != 3 || next == tag {
		t.Errorf("updated %+v", got)
	}
	got, _ = update(api.UpdateBookingRequestObject{ApplicationMergePatchPlusJSONBody: &api.BookingPatch{SeatsMin: nullable.NewNullNullable[int]()}}, nil)
	if got.Seats != 4 || !got.SeatsMin.IsNull() {
		t.Errorf("cleared %+v", got)
	}
	_, err = e.handler.UpdateBooking(ctx, api.UpdateBookingRequestObject{
		BookingID: b.ID, Params: api.UpdateBookingParams{IfMatch: &tag}, JSONBody: &api.BookingPatch{Seats: new(1)}})
	wantFault(t, err, fault.VersionMismatch)
}

func TestBundleIsShownInTheOrderOfItsItems(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	one, two := testkit.Slot(t, e.pool, event.ID, hours(10)), testkit.Slot(t, e.pool, event.ID, hours(20))
	ctx := withKey(t, e.attendee(t), "bundle")
	r := api.CreateBookingsRequestObject{Body: &api.BookingBundleCreate{Items: []api.BookingItem{{SlotID: two.ID}, {SlotID: one.ID, Seats: new(2)}}}}
	var bodies []string
	for range 2 {
		created, err := e.handler.CreateBookings(ctx, r)
		w := sent(t, err, created.VisitCreateBookingsResponse)
		bodies = append(bodies, w.Body.String())
		bundle := decoded[api.BookingBundle](t, w).Data
		if w.Code != 201 || len(bundle) != 2 || bundle[0].SlotID != two.ID || bundle[0].Seats != 1 || bundle[1].SlotID != one.ID || bundle[1].Seats != 2 || bundle[1].EventID != event.ID {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if bodies[0] != bodies[1] {
		t.Errorf("the repeat did not get the first response: %s", bodies[1])
	}
}

func TestPreviewIsShownForTheCaller(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.CancellationClosesMinutes = 60 })
	soon := testkit.Slot(t, e.pool, event.ID, testkit.Times(30*time.Minute, time.Hour))
	owner := e.attendee(t)
	b := e.mustBook(t, owner, soon.ID, 2)
	preview := func(caller access.Caller) api.CancellationPreview {
		t.Helper()
		got, err := e.handler.PreviewCancellation(access.WithCaller(t.Context(), caller), api.PreviewCancellationRequestObject{BookingID: b.ID})
		if err != nil {
			t.Fatal(err)
		}
		return decoded[api.CancellationPreview](t, sent(t, nil, got.VisitPreviewCancellationResponse))
	}
	if p := preview(owner); p.Allowed || p.ReasonCode.MustGet() != "cancellation_window_closed" || !p.ClosesAt.MustGet().Equal(soon.StartsAt.Add(-time.Hour)) || p.SeatsFreed != 0 {
		t.Errorf("owner's %+v", p)
	}
	if p := preview(organizerOf(event)); !p.Allowed || !p.ReasonCode.IsNull() || !p.ClosesAt.IsNull() || p.SeatsFreed != 2 || p.SlotVersion != 2 || p.BookingID != b.ID {
		t.Errorf("organizer's %+v", p)
	}
}

func TestOperationsOnABookingReturnErrorsUnchanged(t *testing.T) {
	t.Parallel()
	e := open(t)
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID)
	b := e.mustBook(t, e.attendee(t), slot.ID, 1)
	ctx := access.WithCaller(t.Context(), e.attendee(t))

	_, err := e.handler.CreateHold(ctx, api.CreateHoldRequestObject{SlotID: uuid.New(), Body: &api.HoldCreate{}})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.CreateBookings(ctx, api.CreateBookingsRequestObject{Body: &api.BookingBundleCreate{Items: []api.BookingItem{{SlotID: uuid.New()}}}})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.ConfirmBooking(ctx, api.ConfirmBookingRequestObject{BookingID: b.ID})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.MoveBooking(ctx, api.MoveBookingRequestObject{BookingID: b.ID, Body: &api.BookingMove{SlotID: slot.ID}})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.UpdateBooking(ctx, api.UpdateBookingRequestObject{BookingID: b.ID, JSONBody: &api.BookingPatch{}})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.PreviewCancellation(ctx, api.PreviewCancellationRequestObject{BookingID: b.ID})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.CheckInBooking(ctx, api.CheckInBookingRequestObject{BookingID: b.ID})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.UndoCheckIn(ctx, api.UndoCheckInRequestObject{BookingID: b.ID})
	wantFault(t, err, fault.NotFound)
}
