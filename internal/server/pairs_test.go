//go:build unix

package server_test

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/limit"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// notRaised are the codes that no request of this test raises, with the reasons. They
// come from the same few places for all operations.
var notRaised = map[string]string{
	"internal":        "nothing raises it on purpose: TestHandlerErrorsAreLoggedOnceAndShownWithoutDetails does, in a stub",
	"contention":      "it takes several lock timeouts: TestSlotThatStaysLockedIsContention, and the tests of postgres.InTx",
	"outcome_unknown": "COMMIT must lose its connection: the tests of postgres.InTx and of the desk, and make prove",
	"shutting_down":   "only while the process stops, when its listener is closed: the tests of the desk, and getReadiness below",
}

// pairs notes which operations raised which codes. The test client checks each problem
// against the contract, with the members that it promises for the code.
type pairs struct {
	*env
	operations map[string]contractOperation
	// s is what requests are about, if they change nothing.
	s fixture

	mu     sync.Mutex
	raised map[[2]string]bool
}

// contractOperation is an operation of the contract.
type contractOperation struct {
	*openapi3.Operation
	method, path string
}

func (o contractOperation) lists(code *fault.Code) bool {
	codes, _ := o.Extensions["x-problems"].([]any)
	return slices.Contains(codes, any(code.Name))
}

// raises expects a problem in an operation's answer.
func (p *pairs) raises(operation string, code *fault.Code, answer testkit.Answer) {
	p.t.Helper()
	answer.WantProblem(code)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.raised[[2]string{operation, code.Name}] = true
}

// Each pair of operation and code in x-problems is raised, or is in notRaised.
func TestEveryOperationRaisesItsProblems(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	p := &pairs{env: h, operations: contractOperations(t), s: h.newFixture(testkit.Desk(t, h.pool)), raised: map[[2]string]bool{}}
	t.Run("requests", func(t *testing.T) {
		for name, raise := range map[string]func(*pairs){
			"tokens": raiseOfTokens, "requests": raiseOfRequests, "resources": raiseOfResources, "lists": raiseOfLists, "keys": raiseOfKeys,
			"rate limits": raiseOfRateLimits, "quotas": raiseOfQuotas, "login delays": raiseOfLoginDelays, "a slow service": raiseOfASlowService, "no database": raiseWithoutDatabase, "users": raiseOfUsers, "events": raiseOfEvents,
			"edits of slots": raiseOfSlotEdits, "booking": raiseOfBooking, "bookings": raiseOfBookings, "attendance": raiseOfAttendance, "times": raiseOfRanges,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				sub := &pairs{env: p.in(t), operations: p.operations, s: p.s, raised: map[[2]string]bool{}}
				raise(sub)
				p.mu.Lock()
				defer p.mu.Unlock()
				maps.Copy(p.raised, sub.raised)
			})
		}
	})
	for id, o := range p.operations {
		codes, _ := o.Extensions["x-problems"].([]any)
		for _, code := range codes {
			if name, _ := code.(string); !p.raised[[2]string{id, name}] && notRaised[name] == "" {
				t.Errorf("%s never raises %s", id, name)
			}
		}
	}
}

// contractOperations returns the operations of the contract by id.
func contractOperations(t *testing.T) map[string]contractOperation {
	t.Helper()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]contractOperation{}
	for path, item := range spec.Paths.Map() {
		for method, o := range item.Operations() {
			all[o.OperationID] = contractOperation{o, method, path}
		}
	}
	return all
}

// bodies are the valid bodies of operations, with the names of the fixture's ids.
var bodies = map[string]string{
	"registerUser": `{"email": "nobody@test.com", "name": "No", "password": "correct horse battery"}`, "loginUser": `{"email": "nobody@test.com", "password": "password"}`,
	"updateUser": `{"role": "organizer"}`, "updateMe": `{"name": "New"}`, "changePassword": `{"current_password": "guess", "new_password": "battery staple"}`,
	"createToken": `{"name": "Phone", "abilities": ["me:read"]}`, "createEvent": `{"title": "Other", "time_zone": "UTC"}`, "updateEvent": `{"title": "New"}`,
	"cancelEvent": `{"reason": "Rain"}`, "createSlot": `{"starts_at": "2026-12-24T18:00:00Z", "ends_at": "2026-12-24T19:00:00Z", "capacity": 1}`,
	"updateSlot": `{"capacity": 20}`, "cancelSlot": `{"reason": "Rain"}`, "createBooking": `{}`, "createHold": `{}`, "cancelBooking": `{"reason": "Rain"}`,
	"createBookings": `{"items": [{"slot_id": "{slot_id}"}]}`, "updateBooking": `{"seats": 2}`, "moveBooking": `{"slot_id": "{slot_id}"}`,
	"simulateSlot": `{}`, "deleteMe": `{"current_password": "guess"}`,
}

// variation is what makes a valid request invalid.
type variation struct {
	query, body string
	unversioned bool // without If-Match
	options     []testkit.RequestOption
}

// withHeader is a variation by one header.
func withHeader(name, value string) variation {
	return variation{options: []testkit.RequestOption{testkit.Header(name, value)}}
}

// send sends a variation of a valid request of an operation, about ids.
func (p *pairs) send(id string, by *testkit.Client, ids map[string]string, v variation) testkit.Answer {
	p.t.Helper()
	o, query := p.operations[id], v.query
	if id == "listConflicts" {
		query = "starts_at=2026-12-01T18:00:00Z&ends_at=2026-12-01T20:00:00Z&" + query
	}
	options := []testkit.RequestOption{testkit.OffContract}
	if o.Parameters.GetByInAndName("header", "If-Match") != nil && !v.unversioned {
		options = append(options, anyVersion)
	}
	options = append(options, v.options...)
	path := fill(o.path, ids) + "?" + query
	if o.RequestBody == nil {
		return by.Send(o.method, path, nil, options...)
	}
	return by.Send(o.method, path, cmp.Or(v.body, fill(bodies[id], ids)), options...)
}

func (p *pairs) ids() map[string]string {
	return map[string]string{
		"event_id": p.s.event.ID.String(), "slot_id": p.s.booked.ID.String(), "booking_id": p.s.booking.ID.String(),
		"token_id": p.s.token.String(), "user_id": p.s.attendee.UserID.String(), "code": "slot_full",
	}
}

// each calls do for the operations that list a code.
func (p *pairs) each(code *fault.Code, do func(id string, o contractOperation) testkit.Answer) {
	p.t.Helper()
	for id, o := range p.operations {
		if o.lists(code) {
			p.raises(id, code, do(id, o))
		}
	}
}

func raiseOfTokens(p *pairs) {
	secret := account.NewSecret()
	expired := p.issue(p.s.attendee, secret)
	testkit.Exec(p.t, p.pool, "UPDATE tokens SET expires_at = now() - interval '1 hour' WHERE id = $1", expired)
	for code, by := range map[*fault.Code]*testkit.Client{
		fault.TokenMissing: p.Client, fault.TokenInvalid: p.As("evb_unknown"), fault.TokenExpired: p.As(string(secret)),
	} {
		p.each(code, func(id string, _ contractOperation) testkit.Answer { return p.send(id, by, p.ids(), variation{}) })
	}
	_, reader := p.user(access.Admin, "me:read")
	_, other := p.user(access.Admin, "events:read")
	p.each(fault.AbilityMissing, func(id string, o contractOperation) testkit.Answer {
		if o.Extensions["x-ability"] == "me:read" {
			return p.send(id, other, p.ids(), variation{})
		}
		return p.send(id, reader, p.ids(), variation{})
	})
	attendee := p.token(p.s.attendee)
	p.each(fault.NotPermitted, func(id string, _ contractOperation) testkit.Answer { return p.send(id, attendee, p.ids(), variation{}) })
}

// raiseOfRequests raises what the contract refuses, before anything is looked up.
func raiseOfRequests(p *pairs) {
	_, admin := p.user(access.Admin)
	p.each(fault.InvalidParameters, func(id string, _ contractOperation) testkit.Answer {
		return p.send(id, admin, p.ids(), variation{query: "unknown=1"})
	})
	p.each(fault.IdempotencyKeyInvalid, func(id string, _ contractOperation) testkit.Answer {
		return p.send(id, admin, p.ids(), withHeader("Idempotency-Key", "a b"))
	})
	for code, body := range map[*fault.Code]string{
		fault.MalformedBody: "{", fault.BodyTooLarge: strings.Repeat(" ", 65<<10), fault.ValidationFailed: `{"unknown": 1}`,
	} {
		p.each(code, func(id string, _ contractOperation) testkit.Answer {
			return p.send(id, admin, p.ids(), variation{body: body})
		})
	}
	p.each(fault.UnsupportedMediaType, func(id string, _ contractOperation) testkit.Answer {
		return p.send(id, admin, p.ids(), withHeader("Content-Type", "text/plain"))
	})
	p.each(fault.NotAcceptable, func(id string, _ contractOperation) testkit.Answer {
		return p.send(id, admin, p.ids(), withHeader("Accept", "image/png"))
	})
}

func raiseOfResources(p *pairs) {
	_, admin := p.user(access.Admin)
	unknown := map[string]string{"code": "unknown"}
	for _, name := range []string{"event_id", "slot_id", "booking_id", "token_id", "user_id"} {
		unknown[name] = testkit.ID().String()
	}
	p.each(fault.NotFound, func(id string, _ contractOperation) testkit.Answer { return p.send(id, admin, unknown, variation{}) })
	p.each(fault.VersionMismatch, func(id string, _ contractOperation) testkit.Answer {
		return p.send(id, admin, p.ids(), withHeader("If-Match", `"999"`))
	})
	p.each(fault.VersionRequired, func(id string, _ contractOperation) testkit.Answer {
		return p.send(id, admin, p.ids(), variation{unversioned: true})
	})
}

func raiseOfLists(p *pairs) {
	_, admin := p.user(access.Admin)
	var first api.EventList
	admin.Get("/api/v1/events?when=all&limit=1&sort=-created_at").Want(http.StatusOK).Into(&first)
	cursor, err := first.NextCursor.Get()
	if err != nil {
		testkit.Event(p.t, p.pool)
		admin.Get("/api/v1/events?when=all&limit=1&sort=-created_at").Want(http.StatusOK).Into(&first)
		cursor = first.NextCursor.MustGet()
	}
	p.each(fault.InvalidCursor, func(id string, _ contractOperation) testkit.Answer {
		return p.send(id, admin, p.ids(), variation{query: "cursor=x"})
	})
	p.each(fault.CursorMismatch, func(id string, _ contractOperation) testkit.Answer {
		return p.send(id, admin, p.ids(), variation{query: "cursor=" + cursor})
	})
}

func raiseOfKeys(p *pairs) {
	_, admin := p.user(access.Admin)
	key := testkit.Header("Idempotency-Key", "used")
	admin.Post("/api/v1/events", `{"title": "Concert", "time_zone": "UTC"}`, key).Want(http.StatusCreated)
	p.each(fault.IdempotencyKeyReused, func(id string, _ contractOperation) testkit.Answer {
		return p.send(id, admin, p.ids(), withHeader("Idempotency-Key", "used"))
	})
}

// raiseOfASlowService asks a service whose requests have no time.
func raiseOfASlowService(p *pairs) {
	slow := p.another(func(c *server.Config) { c.RequestTimeout = time.Nanosecond })
	p.each(fault.Overloaded, func(id string, _ contractOperation) testkit.Answer { return p.send(id, slow, p.ids(), variation{}) })
}

// raiseOfRateLimits uses every class up first; what is refused takes effect nowhere.
func raiseOfRateLimits(p *pairs) {
	limited := p.another(func(c *server.Config) {
		c.RateLimits = server.DefaultRateLimits()
		for class := range c.RateLimits {
			c.RateLimits[class] = limit.Rate{Quota: 1, Window: 24 * time.Hour}
		}
	})
	nowhere := "/api/v1/slots/" + testkit.ID().String()
	for _, a := range []testkit.Answer{
		limited.Get("/api/v1/me"), limited.Get("/api/v1/events?q=x"), limited.Post("/api/v1/me/tokens", "{}", testkit.OffContract), limited.Post(nowhere+"/bookings", "{}"),
		limited.As("").Get("/api/v1/events"), limited.Post("/api/v1/auth/register", "{}", testkit.OffContract), limited.Post("/api/v1/auth/login", "{}", testkit.OffContract),
	} {
		if a.Status == http.StatusTooManyRequests || !strings.Contains(a.Header.Get("RateLimit"), ";r=0;") {
			p.t.Errorf("the first request of its class: %d, %q", a.Status, a.Header.Get("RateLimit"))
		}
	}
	p.each(fault.RateLimited, func(id string, _ contractOperation) testkit.Answer {
		a := p.send(id, limited, p.ids(), variation{})
		if a.Header.Get("Retry-After") == "" || a.Header.Get("RateLimit-Policy") == "" {
			p.t.Errorf("%s: %v", id, a.Header)
		}
		return a
	})
}

// raiseOfLoginDelays asks as somebody who has sent as many wrong passwords as are free.
func raiseOfLoginDelays(p *pairs) {
	delayed := p.another(func(c *server.Config) { c.LoginDelays = true })
	caller, secret := testkit.User(p.t, p.pool, access.Attendee), account.NewSecret()
	p.issue(caller, secret)
	me := delayed.As(string(secret))
	email := caller.UserID.String() + "@test.com"
	for range 5 {
		me.Post("/api/v1/me/deletion", `{"current_password": "guess"}`).WantProblem(fault.ValidationFailed)
	}
	bodies := map[string]string{
		"loginUser": `{"email": "` + email + `", "password": "guess"}`, "updateMe": `{"email": "other@test.com", "current_password": "guess"}`,
		"createToken": `{"name": "Phone", "abilities": ["me:read"], "current_password": "guess"}`,
	}
	p.each(fault.LoginThrottled, func(id string, _ contractOperation) testkit.Answer {
		// On a slow machine the delay of a second may be over before.
		testkit.Exec(p.t, p.pool, "UPDATE login_delays SET next_at = now() + interval '1 hour'")
		a := p.send(id, me, p.ids(), variation{body: bodies[id]})
		if a.Header.Get("Retry-After") == "" {
			p.t.Errorf("%s: %v", id, a.Header)
		}
		return a
	})
}

// raiseWithoutDatabase asks a service whose database does not exist, and one that stops.
func raiseWithoutDatabase(p *pairs) {
	lost := p.another(func(c *server.Config) { c.DatabaseURL = "postgres://nobody@127.0.0.1:1/none?sslmode=disable" })
	p.each(fault.DatabaseUnavailable, func(id string, _ contractOperation) testkit.Answer { return p.send(id, lost, p.ids(), variation{}) })
	app, client := p.serve(func(*server.Config) {})
	if err := app.Stop(context.Background()); err != nil {
		p.t.Error(err)
	}
	p.raises("getReadiness", fault.ShuttingDown, client.Get("/readyz"))
}

// another returns a client of another service, with the token of an administrator.
func (p *pairs) another(edit func(*server.Config)) *testkit.Client {
	p.t.Helper()
	app, client := p.serve(edit)
	p.t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			p.t.Error(err)
		}
	})
	secret := account.NewSecret()
	p.issue(testkit.User(p.t, p.pool, access.Admin), secret)
	return client.As(string(secret))
}

// serve starts another service on the same database. Its client repeats nothing.
func (p *pairs) serve(edit func(*server.Config)) (*server.App, *testkit.Client) {
	p.t.Helper()
	config := server.Config{DatabaseURL: p.pool.Config().ConnString(), MaxConns: 4, Log: slog.New(slog.DiscardHandler)}
	edit(&config)
	app, err := server.New(p.t.Context(), config)
	if err != nil {
		p.t.Fatal(err)
	}
	listener := httptest.NewServer(app.Handler())
	p.t.Cleanup(listener.Close)
	return app, testkit.NewClient(p.t, listener.URL)
}

// made decodes the id of what an answer says was made.
func made(a testkit.Answer) string {
	var body struct{ ID uuid.UUID }
	if err := json.Unmarshal(a.Body, &body); err != nil || body.ID == uuid.Nil {
		a.Want(http.StatusCreated)
	}
	return body.ID.String()
}
