package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/booking"
	"eventbooking/internal/desk"
	"eventbooking/internal/event"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/simulation"
	"eventbooking/internal/waitlist"
)

// A key is accepted if it is sent once and has 1 to 255 visible ASCII characters.
func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{"", "once", "a b", strings.Repeat("k", 255), strings.Repeat("k", 256), "\x7f", "é", "\t", "~!"} {
		f.Add(seed, uint8(1))
	}
	f.Add("once", uint8(2))
	f.Add("once", uint8(0))
	f.Fuzz(func(t *testing.T, value string, times uint8) {
		header := http.Header{}
		for range times % 3 {
			header.Add(idempotencyKey, value)
		}
		visible := !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' })
		good := times%3 == 0 || times%3 == 1 && len(value) >= 1 && len(value) <= 255 && visible
		err := (&operation{acceptsKey: true}).checkKey(header)
		if (err == nil) != good || err != nil && !errors.Is(err, fault.IdempotencyKeyInvalid) {
			t.Errorf("%q, %d times: %v", value, times%3, err)
		}
	})
}

// The bearer token is what follows Bearer in the only Authorization header.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer evb_1", "bearer  evb_1 ", "Basic evb_1", "Bearer", "Bearer ", "", "Bearer a b", "evb_1", "BEARER\tevb_1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		token, err := bearerOf(http.Header{echo.HeaderAuthorization: {value}})
		if err != nil {
			if !errors.Is(err, fault.TokenInvalid) || token != "" {
				t.Errorf("%q: %q, %v", value, token, err)
			}
			return
		}
		if token == "" || token != strings.TrimSpace(token) || !strings.HasPrefix(strings.ToLower(value), "bearer ") || !strings.Contains(value, token) {
			t.Errorf("%q is accepted as the token %q", value, token)
		}
		if again, err := bearerOf(http.Header{echo.HeaderAuthorization: {"Bearer " + token}}); err != nil || again != token {
			t.Errorf("%q is then read as %q, %v", token, again, err)
		}
		if _, err := bearerOf(http.Header{echo.HeaderAuthorization: {value, value}}); !errors.Is(err, fault.TokenInvalid) {
			t.Errorf("two headers are accepted: %v", err)
		}
	})
}

// An accepted time is of the form of RFC 3339, and what every decoder then reads is in
// UTC and in microseconds.
func FuzzTime(f *testing.F) {
	for _, seed := range append(slices.Clone(goodTimes), badTimes...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkTime(text) != nil {
			return
		}
		var read time.Time
		canonical := canonicalTime(text)
		if err := read.UnmarshalText([]byte(canonical)); err != nil {
			t.Fatalf("%q is accepted, but cannot be decoded: %v", text, err)
		}
		shown, err := read.MarshalText()
		if err != nil || string(shown) != canonical || canonicalTime(canonical) != canonical || !strings.HasSuffix(canonical, "Z") || read.Nanosecond()%1000 != 0 {
			t.Errorf("%q is read as %q and shown as %q: %v", text, canonical, shown, err)
		}
	})
}

// operationsWithBody are operations with the types of their bodies.
var operationsWithBody = []struct {
	method, path string
	into         func() any
}{
	{http.MethodPost, "/api/v1/events", func() any { return new(api.EventCreate) }},
	{http.MethodPatch, "/api/v1/events/ID", func() any { return new(api.EventPatch) }},
	{http.MethodPost, "/api/v1/events/ID/slots", func() any { return new(api.SlotCreate) }},
	{http.MethodPatch, "/api/v1/slots/ID", func() any { return new(api.SlotPatch) }},
	{http.MethodPost, "/api/v1/slots/ID/cancel", func() any { return new(api.Cancellation) }},
	{http.MethodPost, "/api/v1/slots/ID/bookings", func() any { return new(api.BookingCreate) }},
	{http.MethodPost, "/api/v1/slots/ID/holds", func() any { return new(api.HoldCreate) }},
	{http.MethodPost, "/api/v1/bookings", func() any { return new(api.BookingBundleCreate) }},
	{http.MethodPatch, "/api/v1/bookings/ID", func() any { return new(api.BookingPatch) }},
	{http.MethodPost, "/api/v1/bookings/ID/move", func() any { return new(api.BookingMove) }},
	{http.MethodPost, "/api/v1/bookings/ID/cancel", func() any { return new(api.BookingCancellation) }},
	{http.MethodPost, "/api/v1/slots/ID/simulation", func() any { return new(api.SimulationCreate) }},
	{http.MethodPatch, "/api/v1/me", func() any { return new(api.ProfilePatch) }},
	{http.MethodPost, "/api/v1/me/tokens", func() any { return new(api.TokenCreate) }},
	{http.MethodPatch, "/api/v1/users/ID", func() any { return new(api.UserPatch) }},
}

// Every body is refused with a problem of the operation, or matches the contract. Then
// the request fails only because the database cannot be reached.
func FuzzBody(f *testing.F) {
	router := withoutDatabase(f)
	addBodies(f)
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		operation := operationsWithBody[int(which)%len(operationsWithBody)]
		path := strings.ReplaceAll(operation.path, "ID", uuid.Max.String())
		r := httptest.NewRequest(operation.method, path, bytes.NewReader(body))
		r.Header.Set(echo.HeaderContentType, "application/json")
		r.Header.Set(echo.HeaderAuthorization, "Bearer token")
		r.Header.Set("If-Match", "*")
		answer := httptest.NewRecorder()
		router.ServeHTTP(answer, r)

		var p api.Problem
		err := json.Unmarshal(answer.Body.Bytes(), &p)
		code := fault.Lookup(string(p.Code))
		if err != nil || code == nil || code.Status != answer.Code || answer.Header().Get(echo.HeaderContentType) != "application/problem+json" {
			t.Fatalf("%s %s with %q: %d %s", operation.method, path, body, answer.Code, answer.Body)
		}
		refusals := []*fault.Code{fault.MalformedBody, fault.ValidationFailed, fault.InvalidTimeRange, fault.UnknownTimeZone, fault.BodyTooLarge}
		if code != fault.DatabaseUnavailable {
			if !slices.Contains(refusals, code) {
				t.Fatalf("%s %s with %q: %d %s", operation.method, path, body, answer.Code, answer.Body)
			}
			return
		}
		if len(body) == 0 {
			return // the body is optional
		}
		strict := json.NewDecoder(bytes.NewReader(body))
		strict.DisallowUnknownFields()
		if err := strict.Decode(operation.into()); err != nil {
			t.Errorf("%s %s: %q is accepted: %v", operation.method, path, body, err)
		}
	})
}

// addBodies adds a valid body for each operation, and invalid ones for all.
func addBodies(f *testing.F) {
	for i, seed := range []string{`{"title":"T","time_zone":"UTC"}`, `{"waitlist_limit":null}`, `{"starts_at":"2026-12-01T8:00:00Z","ends_at":"2026-12-01T20:00:00Z","capacity":1}`,
		`{"capacity":1.0}`, `{"reason":" "}`, `{"seats":1e0,"if_full":"waitlist","seats_min":null,"replaces_booking_id":null}`, `{"seats":20}`,
		`{"items":[{"slot_id":"0197a5c0-7a10-7c3e-9d52-0b6a5f1e2d01"}]}`, `{"seats":2,"seats_min":3}`, `{"slot_id":"0197A5C0-7a10-7c3e-9d52-0b6a5f1e2d01"}`,
		`{"reason":"\ud800"}`, `{"cancellation_rate":1e-400,"until":null}`, `{"name":"N"}`, `{"name":"N","abilities":["*"],"expires_at":null}`, `{"role":"admin"}`,
	} {
		f.Add(uint8(i), []byte(seed))
	}
	for i := range operationsWithBody {
		for _, seed := range []string{`{}`, `null`, `[]`, `{"x":1}`, ``, `{"title":null,"seats":99999999999999999999}`} {
			f.Add(uint8(i), []byte(seed))
		}
	}
}

// withoutDatabase returns the service with a database that cannot be reached. Every
// bearer token is an administrator's.
func withoutDatabase(f testing.TB) http.Handler {
	log := slog.New(slog.DiscardHandler)
	const nowhere = "postgres://nobody@127.0.0.1:1/nothing?sslmode=disable"
	pool, err := postgres.Open(f.Context(), nowhere, postgres.PoolOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(pool.Close)
	jobs, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: postgres.RiverSchema, Logger: log})
	if err != nil {
		f.Fatal(err)
	}
	d := desk.New(pool, jobs, log)
	f.Cleanup(d.Close)
	admin := access.Caller{UserID: uuid.UUID{1}, Role: access.Admin, Abilities: []string{access.AbilityAll}}
	router, err := newRouter(routerOptions{
		operations: &Operations{
			accounts: account.NewHandler(account.New(pool, account.Options{})), bookings: booking.NewHandler(booking.New(pool, d)),
			events: event.NewHandler(event.New(pool, d, jobs)), waitlists: waitlist.NewHandler(waitlist.New(pool, d), simulation.New(pool)), service: &service{},
		},
		authenticate: func(context.Context, string) (access.Caller, error) { return admin, nil },
		docs:         http.NotFoundHandler(), timeout: time.Minute, log: log,
	})
	if err != nil {
		f.Fatal(err)
	}
	return router
}
