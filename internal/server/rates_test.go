//go:build unix

package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// limited turns the limits on, with changes of the rates, and lets requests say where
// they come from.
func limited(changes string) func(*server.Config) {
	return func(c *server.Config) {
		rates, err := server.ParseRateLimits(changes)
		if err != nil {
			panic(err)
		}
		c.RateLimits, c.Concurrency = rates, server.DefaultConcurrency(c.MaxConns)
		c.Proxies = server.Proxies{Header: "X-Forwarded-For", Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	}
}

func TestWrongTokensAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	h := newEnv(t, limited("unauthorized=4/24h"))
	h.Client = testkit.NewClient(t, h.Base())
	user, me := h.user(access.Attendee)
	expired := account.NewSecret()
	h.issue(user, expired)
	testkit.Exec(t, h.pool, "UPDATE tokens SET created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour' WHERE hash = $1", expired.Hash())
	wrong := map[string]func(address string) testkit.Answer{
		"unknown": func(address string) testkit.Answer {
			return h.As(string(account.NewSecret())).Get("/api/v1/events", from(address))
		},
		"malformed": func(address string) testkit.Answer { return h.As("evb_x").Get("/api/v1/me", from(address)) },
		"expired":   func(address string) testkit.Answer { return h.As(string(expired)).Get("/api/v1/me", from(address)) },
		"missing":   func(address string) testkit.Answer { return h.Patch("/api/v1/me", `{"name": "N"}`, from(address)) },
	}
	for name, send := range wrong {
		answer := send("198.51.100.7").Want(http.StatusUnauthorized)
		if got := answer.Header.Get("RateLimit-Policy"); got != `"unauthorized";q=4;w=86400` {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name, send := range wrong {
		answer := send("198.51.100.7")
		answer.WantProblem(fault.RateLimited)
		if got, wait := answer.Header.Get("RateLimit"), answer.Header.Get("Retry-After"); got != `"unauthorized";r=0;t=`+wait {
			t.Errorf("%s: %q, Retry-After %s", name, got, wait)
		}
		send("198.51.100.8").Want(http.StatusUnauthorized)
	}
	// Whose token is right is not hindered by others behind their address.
	for range 20 {
		me.Get("/api/v1/me", from("198.51.100.7")).Want(http.StatusOK)
	}
}

func TestARushOfManyUsersBehindOneAddressIsNotLimited(t *testing.T) {
	testkit.SkipIfShort(t, "it sends thousands of requests")
	t.Parallel()
	const people, atOnce = 2000, 500
	h := newEnv(t, func(c *server.Config) { c.MaxConns = 16 }, limited(""))
	secrets, hashes := make([]account.Secret, people), make([][]byte, people)
	for i := range secrets {
		secrets[i] = account.NewSecret()
		hashes[i] = secrets[i].Hash()
	}
	testkit.Exec(t, h.pool, `WITH people AS (
			INSERT INTO users (id, email, name, password_hash, role)
			SELECT gen_random_uuid(), 'user' || n || '@test.com', 'Some One', '', 'attendee' FROM generate_series(1, $1::int) n RETURNING id)
		INSERT INTO tokens (id, user_id, name, hash, abilities)
		SELECT gen_random_uuid(), id, 'Test', ($2::bytea[])[row_number() OVER ()], '{*}' FROM people`, people, hashes)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(people))
	path := "/api/v1/slots/" + slot.ID.String() + "/bookings"
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range people {
		group.Go(func() error {
			client, key := h.As(string(secrets[i])), testkit.Header("Idempotency-Key", fmt.Sprint(i))
			answer := client.Post(path, `{}`, key, from("198.51.100.7"))
			for range 5 { // a slow machine may truly be overloaded
				if answer.Status == http.StatusServiceUnavailable {
					answer = client.Post(path, `{}`, key, from("198.51.100.7"))
				}
			}
			answer.Want(http.StatusCreated)
			return nil
		})
	}
	_ = group.Wait() // the client reports what goes wrong
	var after api.Slot
	if h.Get("/api/v1/slots/" + slot.ID.String()).Want(http.StatusOK).Into(&after); after.SeatsAvailable != 0 {
		t.Errorf("%d seats are free", after.SeatsAvailable)
	}
}

// lockUser keeps others from changing a user until the returned function is called.
func (h *env) lockUser(user access.Caller) (unlock func()) {
	h.t.Helper()
	tx, err := h.pool.Begin(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := tx.Exec(h.t.Context(), "SELECT FROM users WHERE id = $1 FOR UPDATE", user.UserID); err != nil {
		h.t.Fatal(err)
	}
	return func() { _ = tx.Rollback(h.t.Context()) }
}

// Requests of one user that wait for a lock, with one token or with many, leave
// connections to others.
func TestNobodyKeepsOthersFromConnections(t *testing.T) {
	t.Parallel()
	h := newEnv(t, limited("off"))
	h.Client = testkit.NewClient(t, h.Base())
	user, me := h.user(access.Attendee)
	_, other := h.user(access.Attendee)
	tokens := []*testkit.Client{me}
	for range 20 {
		tokens = append(tokens, h.token(user))
	}
	unlock := h.lockUser(user)
	defer unlock()
	const sent, inWork = 120, 4 // half of the connections
	var group sync.WaitGroup
	answers := make(chan testkit.Answer, sent)
	for i := range sent / 2 {
		group.Go(func() { answers <- tokens[i%len(tokens)].Patch("/api/v1/me", `{"name": "New"}`) })
		group.Go(func() { answers <- me.Patch("/api/v1/me", `{"name": "New"}`) })
	}
	eventually(t, "those that may wait do, and the others are refused", func() bool { return len(answers) == sent-inWork })
	if n := h.waitingForLocks(); n > inWork {
		t.Errorf("%d connections wait for a lock, want at most %d", n, inWork)
	}
	other.RetryBusy().Get("/api/v1/me").Want(http.StatusOK)
	unlock()
	group.Wait()
	close(answers)
	waited := 0
	for a := range answers {
		switch {
		case a.Status == http.StatusOK, strings.Contains(string(a.Body), fault.Contention.Name): // on a slow machine
			waited++
		case a.Status == http.StatusTooManyRequests:
			if got := a.Header.Get("RateLimit-Policy"); got != `"at-once";q=4;qu="concurrent-requests"` || a.Header.Get("Retry-After") != "1" {
				t.Errorf("%q, Retry-After %q", got, a.Header.Get("Retry-After"))
			}
		default:
			a.Want(http.StatusServiceUnavailable) // too many tokens were looked up at once
		}
	}
	if waited == 0 || waited > inWork {
		t.Errorf("%d requests waited for the lock, want %d", waited, inWork)
	}
	me.RetryBusy().Get("/api/v1/me").Want(http.StatusOK)
}

// Where all of the process's places are taken, others wait in line and are then refused.
func TestTheProcessHasAsManyRequestsInWorkAsItMay(t *testing.T) {
	testkit.SkipIfShort(t, "it waits for a turn that does not come")
	t.Parallel()
	h := newEnv(t, limited("off"), func(c *server.Config) { c.Concurrency = server.Concurrency{Requests: 2, Caller: 1} })
	h.Client = testkit.NewClient(t, h.Base())
	var group sync.WaitGroup
	for range 2 {
		user, me := h.user(access.Attendee)
		defer h.lockUser(user)()
		group.Go(func() { me.Patch("/api/v1/me", `{"name": "New"}`) })
	}
	eventually(t, "both places are taken", func() bool { return h.waitingForLocks() == 2 })
	answer := h.Get("/api/v1/events")
	answer.WantProblem(fault.Overloaded)
	if answer.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	h.Get("/livez").Want(http.StatusOK)
	h.Get("/readyz").Want(http.StatusOK)
	group.Wait()
	h.Get("/api/v1/events").Want(http.StatusOK)
}

// waitingForLocks counts the sessions that wait for a lock.
func (h *env) waitingForLocks() (n int) {
	h.t.Helper()
	const sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	if err := h.pool.QueryRow(h.t.Context(), sessions).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// A body that is sent slowly takes no place from others, however many there are.
func TestASlowBodyTakesNoPlace(t *testing.T) {
	t.Parallel()
	h := newEnv(t, limited("off"), func(c *server.Config) { c.Concurrency = server.Concurrency{Requests: 1, Caller: 1} })
	for range 10 {
		conn := connect(t, h.Base())
		const head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
		if _, err := conn.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		h.Get("/api/v1/events").Want(http.StatusOK)
	}
}

// What is expensive is counted apart, whoever asks for it.
func TestSearchesAreAClassOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := newEnv(t, limited(""))
	_, me := h.user(access.Attendee)
	_, admin := h.user(access.Admin)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	for class, answers := range map[string][]testkit.Answer{
		"searches": {
			h.Get("/api/v1/events?q=concert&available=true"), h.Get("/api/v1/events?available=true&q=concert"), me.Get("/api/v1/events?q=concert"),
			admin.Post("/api/v1/slots/"+slot.ID.String()+"/simulation", `{"runs": 1}`),
		},
		"anonymous": {h.Get("/api/v1/events?available=true"), h.Get("/api/v1/slots/" + slot.ID.String())},
		"reads":     {me.Get("/api/v1/events?available=true"), me.Get("/api/v1/me")},
		"bookings":  {me.Post("/api/v1/slots/"+slot.ID.String()+"/bookings", `{}`)},
		"writes":    {admin.Post("/api/v1/events", `{"title": "X", "time_zone": "UTC"}`)},
		// It tells which addresses are taken, as a registration does.
		"registrations": {me.Patch("/api/v1/me", `{"name": "New"}`)},
	} {
		for i, a := range answers {
			if !strings.HasPrefix(a.Header.Get("RateLimit"), `"`+class+`";r=`) || a.Status >= http.StatusBadRequest {
				t.Errorf("%s %d: %d, RateLimit: %s", class, i, a.Status, a.Header.Get("RateLimit"))
			}
		}
	}
}

// A page of another origin sees why it was refused, and how long it has to wait.
func TestOtherOriginsCanReadARateLimit(t *testing.T) {
	t.Parallel()
	const shop = "https://shop.example.com"
	h := newEnv(t, limited("anonymous=1/24h"), func(c *server.Config) { c.CORSOrigins = []string{shop} })
	h.Get("/api/v1/events", testkit.Header("Origin", shop)).Want(http.StatusOK)
	answer := h.Get("/api/v1/events", testkit.Header("Origin", shop))
	answer.WantProblem(fault.RateLimited)
	if got := answer.Header.Get("Access-Control-Allow-Origin"); got != shop {
		t.Errorf("Access-Control-Allow-Origin: %q", got)
	}
	for _, name := range []string{"Retry-After", "RateLimit", "RateLimit-Policy"} {
		if !slices.Contains(strings.Split(answer.Header.Get("Access-Control-Expose-Headers"), ","), name) || answer.Header.Get(name) == "" {
			t.Errorf("%s cannot be read: %v", name, answer.Header)
		}
	}
}
