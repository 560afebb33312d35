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
	"eventbooking/internal/seating"
	"eventbooking/internal/simulation"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

// env is a database with a desk and the room on it.
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

func (h env) attendee(t *testing.T) access.Caller {
	t.Helper()
	return testkit.User(t, h.pool, access.Attendee)
}

// cancel is the owner giving a booking back.
func (h env) cancel(t *testing.T, b seating.Booking) {
	t.Helper()
	_, err := h.desk.Do(t.Context(), desk.Submission{Command: seating.Cancel{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}}})
	if err != nil {
		t.Fatal(err)
	}
}

func (h env) status(t *testing.T, b seating.Booking) (status string) {
	t.Helper()
	if err := h.pool.QueryRow(context.Background(), "SELECT status FROM bookings WHERE id = $1", b.ID).Scan(&status); err != nil {
		t.Fatal(err)
	}
	return status
}

func (h env) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := h.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// wants fails the test unless err is of the code.
func wants(t *testing.T, err error, code *fault.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, code.Name)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool)
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(2))
	holder, large, small, busy := h.attendee(t), h.attendee(t), h.attendee(t), h.attendee(t)

	taken := testkit.Book(t, h.desk, slot.ID, holder.UserID, 2)
	testkit.Book(t, h.desk, slot.ID, large.UserID, 2)
	second := testkit.Book(t, h.desk, slot.ID, small.UserID, 1)

	p, err := h.service.Explain(t.Context(), small, second.ID)
	if err != nil {
		t.Fatal(err)
	}
	if p.Number() != 2 || p.BookingsAhead != 1 || p.SeatsAhead != 2 || p.SeatsNeeded() != 3 || p.SlotVersion != second.Version {
		t.Errorf("got %+v", p)
	}

	t.Run("strict order holds up", func(t *testing.T) {
		h.exec(t, "UPDATE slots SET capacity = 3 WHERE id = $1", slot.ID)
		p, err := h.service.Explain(t.Context(), testkit.Caller(event.OrganizerID, access.Organizer), second.ID)
		if err != nil || len(p.Reasons()) != 2 || p.Reasons()[0].Code != waitlist.LargerBookingAhead || p.HoldupSeats != 2 {
			t.Errorf("%v; %+v", err, p.Reasons())
		}
	})
	t.Run("blocked by an own booking", func(t *testing.T) {
		elsewhere := testkit.Slot(t, h.pool, event.ID)
		waiting := testkit.Book(t, h.desk, slot.ID, busy.UserID, 1)
		blocker := testkit.Book(t, h.desk, elsewhere.ID, busy.UserID, 1)
		h.exec(t, "UPDATE slots SET capacity = 10 WHERE id = $1", slot.ID)
		h.cancel(t, taken)
		if _, err := h.service.Promote(t.Context(), testkit.Caller(uuid.Nil, access.Admin), slot.ID, desk.Submission{}); err != nil {
			t.Fatal(err)
		}
		p, err := h.service.Explain(t.Context(), busy, waiting.ID)
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
		full := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1), testkit.Times(48*time.Hour, 49*time.Hour))
		testkit.Book(t, h.desk, full.ID, h.attendee(t).UserID, 1)         // entry 2
		testkit.Book(t, h.desk, full.ID, h.attendee(t).UserID, 1)         // entry 3
		last := testkit.Book(t, h.desk, full.ID, h.attendee(t).UserID, 1) // entry 4
		p, err := h.service.Explain(t.Context(), owner(last), last.ID)
		r := p.Reasons()
		if err != nil || len(r) != 2 || r[0].SinceVersion != 2 || r[1].SinceVersion != 4 {
			t.Errorf("%v; %+v", err, r)
		}
	})
	t.Run("who does not wait", func(t *testing.T) {
		p, err := h.service.Explain(t.Context(), holder, taken.ID)
		if err != nil || p.Number() != 0 || len(p.Reasons()) != 0 || p.BookingsAhead != 0 {
			t.Errorf("%v; %+v", err, p)
		}
	})
	t.Run("others' bookings do not exist", func(t *testing.T) {
		for _, caller := range []access.Caller{holder, testkit.User(t, h.pool, access.Organizer)} {
			_, err := h.service.Explain(t.Context(), caller, second.ID)
			wants(t, err, fault.NotFound)
		}
		_, err := h.service.Explain(t.Context(), holder, uuid.New())
		wants(t, err, fault.NotFound)
	})
}

// Who was passed learns by how many seats and why, the latest first, and not by whom.
func TestExplainPasses(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool, func(e *db.Event) { e.Fit, e.MaxPasses = "first_fit", 2 })
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(4))
	first := testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 2)
	testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)
	large := testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 3)  // entry 4
	small := testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)  // entries 5 and 6: passes
	h.cancel(t, small)                                                  // 7
	testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)           // 8 and 9: passes for the last time
	h.cancel(t, first)                                                  // 10: two are free
	behind := testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1) // 11: waits

	position, err := h.handler.GetWaitlistPosition(access.WithCaller(t.Context(), owner(large)), api.GetWaitlistPositionRequestObject{BookingID: large.ID})
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
	held, err := h.service.Explain(t.Context(), owner(behind), behind.ID)
	if r := held.Reasons(); err != nil || len(r) == 0 || r[0].Code != waitlist.LargerBookingAhead || r[0].SinceVersion != 11 {
		t.Errorf("%v; %+v", err, r)
	}
	testkit.Sound(t, h.pool)
}

func TestList(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool)
	organizer := testkit.Caller(event.OrganizerID, access.Organizer)
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1))
	testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)
	var queue []seating.Booking
	for range 5 {
		queue = append(queue, testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1))
	}
	h.cancel(t, queue[1])
	want := []uuid.UUID{queue[0].ID, queue[2].ID, queue[3].ID, queue[4].ID}

	two, cursor, place := 2, (*string)(nil), 0
	for {
		page, next, err := h.service.List(t.Context(), organizer, slot.ID, &two, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page {
			if p.ID != want[place] || p.Position != place+1 || p.EventID != event.ID {
				t.Errorf("place %d: got %s at %d", place+1, p.ID, p.Position)
			}
			place++
		}
		if next == "" {
			break
		}
		cursor = &next
	}
	if place != len(want) {
		t.Errorf("%d places, want %d", place, len(want))
	}

	_, _, err := h.service.List(t.Context(), organizer, uuid.New(), nil, cursor)
	wants(t, err, fault.CursorMismatch)
}

func TestManagedOnly(t *testing.T) {
	t.Parallel()
	h := open(t)
	published, draft := testkit.Event(t, h.pool), testkit.Event(t, h.pool, func(e *db.Event) { e.Status = "draft" })
	slot, hidden := testkit.Slot(t, h.pool, published.ID), testkit.Slot(t, h.pool, draft.ID)
	stranger := testkit.User(t, h.pool, access.Organizer)

	try := func(caller access.Caller, slotID uuid.UUID) error {
		_, _, list := h.service.List(t.Context(), caller, slotID, nil, nil)
		_, promote := h.service.Promote(t.Context(), caller, slotID, desk.Submission{})
		if fault.Of(list) != nil && !errors.Is(promote, fault.Of(list)) {
			t.Errorf("List says %v, Promote %v", list, promote)
		}
		return list
	}
	wants(t, try(stranger, slot.ID), fault.NotPermitted)
	wants(t, try(stranger, hidden.ID), fault.NotFound)
	wants(t, try(stranger, uuid.New()), fault.NotFound)
	for _, caller := range []access.Caller{testkit.Caller(published.OrganizerID, access.Organizer), testkit.User(t, h.pool, access.Admin)} {
		if err := try(caller, slot.ID); err != nil {
			t.Error(err)
		}
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool)
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1))
	organizer := testkit.Caller(event.OrganizerID, access.Organizer)
	first := testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)
	waiting := testkit.Book(t, h.desk, slot.ID, h.attendee(t).UserID, 1)
	key := &idempotency.Key{UserID: organizer.UserID, Value: "once", Fingerprint: make([]byte, 32)}
	ctx := idempotency.With(access.WithCaller(t.Context(), organizer), key)

	position, err := h.handler.GetWaitlistPosition(ctx, api.GetWaitlistPositionRequestObject{BookingID: waiting.ID})
	if err != nil {
		t.Fatal(err)
	}
	if p := position.(api.GetWaitlistPosition200JSONResponse); p.Position.MustGet() != 1 || len(p.Reasons) != 1 || !p.BlockedBy.IsNull() {
		t.Errorf("got %+v", p)
	}
	queue, err := h.handler.GetSlotWaitlist(ctx, api.GetSlotWaitlistRequestObject{SlotID: slot.ID})
	if err != nil {
		t.Fatal(err)
	}
	if q := queue.(api.GetSlotWaitlist200JSONResponse); len(q.Body.Data) != 1 || q.Body.HasMore || q.Body.Data[0].Booking.ID != waiting.ID {
		t.Errorf("got %+v", q.Body)
	}

	h.cancel(t, first)
	var answers []*httptest.ResponseRecorder
	for range 2 {
		answer, err := h.handler.PromoteSlot(ctx, api.PromoteSlotRequestObject{SlotID: slot.ID})
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
		t.Error("the repeat is not the first answer again")
	}

	// Errors come through as they are.
	nobody := access.WithCaller(t.Context(), h.attendee(t))
	_, err = h.handler.GetWaitlistPosition(nobody, api.GetWaitlistPositionRequestObject{BookingID: waiting.ID})
	wants(t, err, fault.NotFound)
	_, err = h.handler.GetSlotWaitlist(nobody, api.GetSlotWaitlistRequestObject{SlotID: slot.ID})
	wants(t, err, fault.NotPermitted)
	_, err = h.handler.PromoteSlot(nobody, api.PromoteSlotRequestObject{SlotID: slot.ID})
	wants(t, err, fault.NotPermitted)
}

func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	service := waitlist.New(pool, testkit.Desk(t, pool))
	pool.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	admin := testkit.Caller(uuid.New(), access.Admin)
	_, err := service.Explain(ctx, admin, uuid.New())
	wants(t, err, fault.DatabaseUnavailable)
	_, _, err = service.List(ctx, admin, uuid.New(), nil, nil)
	wants(t, err, fault.DatabaseUnavailable)
}
