//go:build unix

package server_test

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// delayed lets wrong passwords delay the next attempt, and believes the test about
// addresses.
func delayed(c *server.Config) {
	c.LoginDelays, c.Workers = true, false
	c.Proxies = server.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Header: "X-Forwarded-For"}
}

func from(address string) testkit.RequestOption { return testkit.Header("X-Forwarded-For", address) }

func credentials(email, password string) map[string]any {
	return map[string]any{"email": email, "password": password}
}

// After 200 wrong passwords the right one has to wait as well, but not elsewhere.
func TestGuessingIsDelayed(t *testing.T) {
	t.Parallel()
	h := newEnv(t, delayed)
	caller := testkit.User(t, h.pool, access.Attendee)
	email := caller.UserID.String() + "@test.com"
	const login = "/api/v1/auth/login"
	var lookedAt, throttled int
	for i := range 200 {
		a := h.Post(login, credentials(strings.ToUpper(email), "guess "+strconv.Itoa(i)), from("2001:db8::"+strconv.Itoa(i+1)))
		switch a.Status {
		case http.StatusUnauthorized:
			lookedAt++
		default:
			a.WantProblem(fault.LoginThrottled)
			throttled++
		}
	}
	// On a slow machine the first delays of 1, 2, 4, … seconds pass meanwhile.
	if lookedAt < 5 || lookedAt > 10 || throttled < 190 {
		t.Errorf("%d of 200 guesses were looked at", lookedAt)
	}
	testkit.Exec(t, h.pool, "UPDATE login_delays SET next_at = now() + interval '30 seconds' WHERE next_at > now() - interval '1 second'")
	a := h.Post(login, credentials(email, testkit.Password), from("2001:db8::ffff"))
	a.WantProblem(fault.LoginThrottled)
	if wait, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || wait < 1 || wait > 31 {
		t.Errorf("Retry-After: %s", a.Header.Get("Retry-After"))
	}
	h.Post(login, credentials(email, testkit.Password), from("2001:db8:0:1::1")).Want(http.StatusOK)
}
