//go:build unix

package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/oapi-codegen/nullable"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/event"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// env is the service on a database of its own.
type env struct {
	*testing.T
	pool      *pgxpool.Pool
	desk      *desk.Desk
	handler   *event.Handler
	organizer access.Caller
}

func open(t *testing.T) *env {
	t.Parallel()
	pool := testkit.Database(t)
	jobs, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: postgres.RiverSchema})
	must(t, err)
	desk := testkit.Desk(t, pool)
	return &env{T: t, pool: pool, desk: desk, handler: event.NewHandler(event.New(pool, desk, jobs)),
		organizer: testkit.User(t, pool, access.Organizer)}
}

// as is the context of a caller's request.
func as(caller access.Caller) context.Context {
	return access.WithCaller(context.Background(), caller)
}

// mine is the context of the organizer's requests.
func (h *env) mine() context.Context { return as(h.organizer) }

// keyed is the context of a request with an idempotency key.
func keyed(caller access.Caller, key string) context.Context {
	return idempotency.With(as(caller), &idempotency.Key{
		UserID: caller.UserID, Value: key, Fingerprint: make([]byte, 32),
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault fails the test unless err has the code.
func wantFault(t testing.TB, err error, code *fault.Code) {
	t.Helper()
	_ = refusal(t, err, code)
}

// refusal fails the test unless err has the code, and returns it as a refusal.
func refusal(t testing.TB, err error, code *fault.Code) *fault.Error {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("got %v, want %s", err, code.Name)
	}
	return fault.Of(err)
}

func ptr[T any](v T) *T { return &v }

func value[T any](n nullable.Nullable[T]) T {
	v, _ := n.Get()
	return v
}

// response is what a handler's response sends.
type response struct {
	*httptest.ResponseRecorder
}

func sent(t testing.TB, visit func(http.ResponseWriter) error) response {
	t.Helper()
	r := httptest.NewRecorder()
	must(t, visit(r))
	return response{r}
}

func sameJSON(t testing.TB, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	must(t, err)
	y, err := json.Marshal(b)
	must(t, err)
	return string(x) == string(y)
}

func body[T any](t testing.TB, a response) (v T) {
	t.Helper()
	must(t, json.Unmarshal(a.Body.Bytes(), &v))
	return v
}

// draft creates a draft, and returns it with its ETag.
func (h *env) draft(change ...func(*api.EventCreate)) (api.Event, string) {
	h.Helper()
	c := api.EventCreate{Title: "Chamber concert", TimeZone: "Europe/Berlin"}
	for _, f := range change {
		f(&c)
	}
	r, err := h.handler.CreateEvent(h.mine(), api.CreateEventRequestObject{Body: &c})
	must(h, err)
	a := sent(h, r.VisitCreateEventResponse)
	return body[api.Event](h, a), a.Header().Get("ETag")
}

// event inserts a published event of the organizer.
func (h *env) event(edits ...func(*db.Event)) db.Event {
	h.Helper()
	return testkit.Event(h, h.pool, append([]func(*db.Event){func(e *db.Event) { e.OrganizerID = h.organizer.UserID }}, edits...)...)
}

func status(s seating.EventStatus) func(*db.Event) {
	return func(e *db.Event) { e.Status = string(s) }
}

func (h *env) get(id uuid.UUID) (api.Event, string) {
	h.Helper()
	r, err := h.handler.GetEvent(h.mine(), api.GetEventRequestObject{EventID: id})
	must(h, err)
	a := r.(api.GetEvent200JSONResponse)
	return a.Body, a.Headers.ETag
}

func (h *env) update(id uuid.UUID, match string, patch api.EventPatch) (api.Event, error) {
	h.Helper()
	r, err := h.handler.UpdateEvent(h.mine(), api.UpdateEventRequestObject{
		EventID: id, Params: api.UpdateEventParams{IfMatch: &match}, JSONBody: &patch})
	if err != nil {
		return api.Event{}, err
	}
	return r.(api.UpdateEvent200JSONResponse).Body, nil
}

func (h *env) getSlot(id uuid.UUID) (api.Slot, string) {
	h.Helper()
	r, err := h.handler.GetSlot(h.mine(), api.GetSlotRequestObject{SlotID: id})
	must(h, err)
	a := r.(api.GetSlot200JSONResponse)
	return a.Body, a.Headers.ETag
}

// jobs are the slots of the jobs of a kind, in the order of insertion.
func (h *env) jobs(kind string) []uuid.UUID {
	h.Helper()
	return list[uuid.UUID](h, `SELECT (args->>'slot_id')::uuid FROM river.river_job WHERE kind = $1 ORDER BY id`, kind)
}

func list[T any](h *env, sql string, args ...any) []T {
	h.Helper()
	rows, err := h.pool.Query(context.Background(), sql, args...)
	must(h, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	must(h, err)
	return values
}

func (h *env) exec(sql string, args ...any) {
	h.Helper()
	_, err := h.pool.Exec(context.Background(), sql, args...)
	must(h, err)
}

// full inserts a slot of one seat that is taken, with a booking that waits.
func (h *env) full(eventID uuid.UUID) seating.Slot {
	h.Helper()
	slot := testkit.Slot(h, h.pool, eventID, testkit.Capacity(1))
	for range 2 {
		testkit.Book(h, h.desk, slot.ID, testkit.User(h, h.pool, access.Attendee).UserID, 1)
	}
	return slot
}
