package waitlist_test

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
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/simulation"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

// env is the service on a database of its own.
type env struct {
	pool    *pgxpool.Pool
	desk    *desk.Desk
	service *waitlist.Service
	handler *waitlist.Handler
}

func open(t *testing.T) env {
	t.Helper()
	pool := testkit.Database(t)
	d := testkit.Desk(t, pool)
	service := waitlist.New(pool, d)
	return env{pool, d, service, waitlist.NewHandler(service, simulation.New(pool))}
}

func (e env) attendee(t *testing.T) access.Caller {
	t.Helper()
	return testkit.User(t, e.pool, access.Attendee)
}

// cancel cancels a booking as its owner.
func (e env) cancel(t *testing.T, b seating.Booking) {
	t.Helper()
	_, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.Cancel{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}}})
	if err != nil {
		t.Fatal(err)
	}
}

func (e env) status(t *testing.T, b seating.Booking) (status string) {
	t.Helper()
	if err := e.pool.QueryRow(context.Background(), "SELECT status FROM bookings WHERE id = $1", b.ID).Scan(&status); err != nil {
		t.Fatal(err)
	}
	return status
}

func (e env) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := e.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// wantFault fails the test unless err is of the code.
func wantFault(t *testing.T, err error, code *fault.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, code.Name)
	}
}

func TestExplainTellsThePositionAndTheReasons(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(2))
	holder, large, small, busy := e.attendee(t), e.attendee(t), e.attendee(t), e.attendee(t)

	taken := testkit.Book(t, e.desk, slot.ID, holder.UserID, 2)
	testkit.Book(t, e.desk, slot.ID, large.UserID, 2)
	second := testkit.Book(t, e.desk, slot.ID, small.UserID, 1)

	p, err := e.service.Explain(t.Context(), small, second.ID)
	if err != nil {
		t.Fatal(err)
	}
	if p.Number() != 2 || p.BookingsAhead != 1 || p.SeatsAhead != 2 || p.SeatsNeeded() != 3 || p.SlotVersion != second.Version {
		t.Errorf("got %+v", p)
	}

	t.Run("a larger booking ahead", func(t *testing.T) {
		e.exec(t, "UPDATE slots SET capacity = 3 WHERE id = $1", slot.ID)
		p, err := e.service.Explain(t.Context(), testkit.Caller(event.OrganizerID, access.Organizer), second.ID)
		if err != nil || len(p.Reasons()) != 2 || p.Reasons()[0].Code != waitlist.LargerBookingAhead || p.HoldupSeats != 2 {
			t.Errorf("%v; %+v", err, p.Reasons())
		}
	})
	t.Run("blocked by an own booking", func(t *testing.T) {
		elsewhere := testkit.Slot(t, e.pool, event.ID)
		waiting := testkit.Book(t, e.desk, slot.ID, busy.UserID, 1)
		blocker := testkit.Book(t, e.desk, elsewhere.ID, busy.UserID, 1)
		e.exec(t, "UPDATE slots SET capacity = 10 WHERE id = $1", slot.ID)
		e.cancel(t, taken)
		if _, err := e.service.Promote(t.Context(), testkit.Caller(uuid.Nil, access.Admin), slot.ID, desk.Submission{}); err != nil {
			t.Fatal(err)
		}
		p, err := e.service.Explain(t.Context(), busy, waiting.ID)
		if err != nil {
			t.Fatal(err)
		}
		reasons := p.Reasons()
		if p.Number() != 1 || p.BlockedBy != blocker.ID || len(reasons) != 1 ||
			reasons[0].Code != waitlist.BlockedByOverlap || reasons[0].SinceVersion == 0 {
			t.Errorf("got %+v, reasons %+v", p, reasons)
		}
	})
	t.Run("since when, by the ledger", func(t *testing.T) {
		full := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1), testkit.Times(48*time.Hour, 49*time.Hour))
		testkit.Book(t, e.desk, full.ID, e.attendee(t).UserID, 1)         // entry 2
		testkit.Book(t, e.desk, full.ID, e.attendee(t).UserID, 1)         // entry 3
		last := testkit.Book(t, e.desk, full.ID, e.attendee(t).UserID, 1) // entry 4
		p, err := e.service.Explain(t.Context(), owner(last), last.ID)
		r := p.Reasons()
		if err != nil || len(r) != 2 || r[0].SinceVersion != 2 || r[1].SinceVersion != 4 {
			t.Errorf("%v; %+v", err, r)
		}
	})
	t.Run("who does not wait", func(t *testing.T) {
		p, err := e.service.Explain(t.Context(), holder, taken.ID)
		if err != nil || p.Number() != 0 || len(p.Reasons()) != 0 || p.BookingsAhead != 0 {
			t.Errorf("%v; %+v", err, p)
		}
	})
	t.Run("others' bookings do not exist", func(t *testing.T) {
		for _, caller := range []access.Caller{holder, testkit.User(t, e.pool, access.Organizer)} {
			_, err := e.service.Explain(t.Context(), caller, second.ID)
			wantFault(t, err, fault.NotFound)
		}
		_, err := e.service.Explain(t.Context(), holder, uuid.New())
		wantFault(t, err, fault.NotFound)
	})
}

// The latest pass comes first. Who passed is not told.
func TestExplainTellsWhyABookingWasPassed(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.Fit, event.MaxPasses = "first_fit", 2 })
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(4))
	first := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 2)
	testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	large := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 3)  // entry 4
	small := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)  // entries 5 and 6: passes
	e.cancel(t, small)                                                  // 7
	testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)           // 8 and 9: passes for the last time
	e.cancel(t, first)                                                  // 10: two are free
	behind := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1) // 11: waits

	position, err := e.handler.GetWaitlistPosition(access.WithCaller(t.Context(), owner(large)), api.GetWaitlistPositionRequestObject{BookingID: large.ID})
	if err != nil {
		t.Fatal(err)
	}
	p := position.(api.GetWaitlistPosition200JSONResponse)
	if p.Passes != 2 || len(p.PassedBy) != 2 || p.PassedBy[0].Version != 9 || p.PassedBy[1].Version != 6 ||
		p.PassedBy[0].Seats != 1 || p.PassedBy[0].Reason != "1 seat was free and this booking needs 3." || p.PassedBy[0].At.IsZero() {
		t.Errorf("got %+v", p)
	}
	if since := p.Reasons[0].SinceVersion; since.IsNull() || since.MustGet() != 2 {
		t.Errorf("reasons %+v", p.Reasons)
	}
	held, err := e.service.Explain(t.Context(), owner(behind), behind.ID)
	if r := held.Reasons(); err != nil || len(r) == 0 || r[0].Code != waitlist.LargerBookingAhead || r[0].SinceVersion != 11 {
		t.Errorf("%v; %+v", err, r)
	}
	testkit.Sound(t, e.pool)
}

func TestListHasTheQueueInOrder(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	organizer := testkit.Caller(event.OrganizerID, access.Organizer)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1))
	testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	var queue []seating.Booking
	for range 5 {
		queue = append(queue, testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1))
	}
	e.cancel(t, queue[1])
	want := []uuid.UUID{queue[0].ID, queue[2].ID, queue[3].ID, queue[4].ID}

	two, cursor, n := 2, (*string)(nil), 0
	for {
		list, err := e.service.List(t.Context(), organizer, slot.ID, page.Ask{Limit: &two, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range list.Items {
			if b.ID != want[n] || b.Position != n+1 || b.EventID != event.ID {
				t.Errorf("position %d: got %s at %d", n+1, b.ID, b.Position)
			}
			n++
		}
		if !list.HasMore() {
			break
		}
		cursor = &list.Next
	}
	if n != len(want) {
		t.Errorf("%d bookings, want %d", n, len(want))
	}

	_, err := e.service.List(t.Context(), organizer, uuid.New(), page.Ask{Cursor: cursor})
	wantFault(t, err, fault.CursorMismatch)
}

func TestOnlyManagersListAndPromote(t *testing.T) {
	t.Parallel()
	e := open(t)
	published, draft := testkit.Event(t, e.pool), testkit.Event(t, e.pool, func(event *db.Event) { event.Status = "draft" })
	slot, hidden := testkit.Slot(t, e.pool, published.ID), testkit.Slot(t, e.pool, draft.ID)
	stranger := testkit.User(t, e.pool, access.Organizer)

	try := func(caller access.Caller, slotID uuid.UUID) error {
		_, list := e.service.List(t.Context(), caller, slotID, page.Ask{})
		_, promote := e.service.Promote(t.Context(), caller, slotID, desk.Submission{})
		if fault.Of(list) != nil && !errors.Is(promote, fault.Of(list)) {
			t.Errorf("List says %v, Promote %v", list, promote)
		}
		return list
	}
	wantFault(t, try(stranger, slot.ID), fault.NotPermitted)
	wantFault(t, try(stranger, hidden.ID), fault.NotFound)
	wantFault(t, try(stranger, uuid.New()), fault.NotFound)
	for _, caller := range []access.Caller{testkit.Caller(published.OrganizerID, access.Organizer), testkit.User(t, e.pool, access.Admin)} {
		if err := try(caller, slot.ID); err != nil {
			t.Error(err)
		}
	}
}

func TestHandlerShowsAndPromotesTheWaitlist(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1))
	organizer := testkit.Caller(event.OrganizerID, access.Organizer)
	first := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	waiting := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	key := &idempotency.Key{UserID: organizer.UserID, Value: "once", Fingerprint: make([]byte, 32)}
	ctx := idempotency.With(access.WithCaller(t.Context(), organizer), key)

	position, err := e.handler.GetWaitlistPosition(ctx, api.GetWaitlistPositionRequestObject{BookingID: waiting.ID})
	if err != nil {
		t.Fatal(err)
	}
	if p := position.(api.GetWaitlistPosition200JSONResponse); p.Position.MustGet() != 1 || len(p.Reasons) != 1 || !p.BlockedBy.IsNull() {
		t.Errorf("got %+v", p)
	}
	queue, err := e.handler.GetSlotWaitlist(ctx, api.GetSlotWaitlistRequestObject{SlotID: slot.ID})
	if err != nil {
		t.Fatal(err)
	}
	if q := queue.(api.GetSlotWaitlist200JSONResponse); len(q.Body.Data) != 1 || q.Body.HasMore || q.Body.Data[0].Booking.ID != waiting.ID {
		t.Errorf("got %+v", q.Body)
	}

	e.cancel(t, first)
	var answers []*httptest.ResponseRecorder
	for range 2 {
		answer, err := e.handler.PromoteSlot(ctx, api.PromoteSlotRequestObject{SlotID: slot.ID})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if err := answer.VisitPromoteSlotResponse(w); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, w)
	}
	var p api.Promotion
	if err := json.Unmarshal(answers[0].Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Promoted) != 1 || p.Promoted[0].ID != waiting.ID || p.Promoted[0].Status != "confirmed" || p.Slot.SeatsAvailable != 0 {
		t.Errorf("got %+v", p)
	}
	if answers[1].Body.String() != answers[0].Body.String() || answers[1].Header().Get("Idempotent-Replayed") != "true" {
		t.Error("the repeat did not get the first response")
	}

	// Errors are returned unchanged.
	nobody := access.WithCaller(t.Context(), e.attendee(t))
	_, err = e.handler.GetWaitlistPosition(nobody, api.GetWaitlistPositionRequestObject{BookingID: waiting.ID})
	wantFault(t, err, fault.NotFound)
	_, err = e.handler.GetSlotWaitlist(nobody, api.GetSlotWaitlistRequestObject{SlotID: slot.ID})
	wantFault(t, err, fault.NotPermitted)
	_, err = e.handler.PromoteSlot(nobody, api.PromoteSlotRequestObject{SlotID: slot.ID})
	wantFault(t, err, fault.NotPermitted)
}

func TestReadsFailAsUnavailableWithoutADatabase(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	service := waitlist.New(pool, testkit.Desk(t, pool))
	pool.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	admin := testkit.Caller(uuid.New(), access.Admin)
	_, err := service.Explain(ctx, admin, uuid.New())
	wantFault(t, err, fault.DatabaseUnavailable)
	_, err = service.List(ctx, admin, uuid.New(), page.Ask{})
	wantFault(t, err, fault.DatabaseUnavailable)
}
