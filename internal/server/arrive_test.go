//go:build unix

package server_test

import (
	"bufio"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

const newEvent = `{"title": "Concert", "time_zone": "UTC"}`

// half sends a request to make an event up to the middle of its body. It returns what
// sends the rest and reads the answer.
func (h *env) half(t *testing.T, token string) (rest func(body string) (status int, answer string)) {
	t.Helper()
	connection := h.dial("POST", "/api/v1/events", token, newEvent[:10], len(newEvent))
	return func(body string) (int, string) {
		if _, err := io.WriteString(connection, body); err != nil {
			t.Fatal(err)
		}
		_ = connection.SetReadDeadline(time.Now().Add(30 * time.Second))
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(answer)
	}
}

// Who was logged out, demoted or deleted while their body was under way is refused.
func TestWhoIsAskingIsFoundOutWhenTheBodyHasArrived(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	for name, c := range map[string]struct {
		change string
		want   *fault.Code
	}{
		"logged out": {"DELETE FROM tokens WHERE user_id = $1", fault.TokenInvalid},
		"demoted":    {"UPDATE users SET role = 'attendee' WHERE id = $1", fault.NotPermitted},
		"deleted":    {"UPDATE users SET deleted_at = now(), password_hash = NULL WHERE id = $1", fault.TokenInvalid},
	} {
		caller, secret := testkit.User(t, h.pool, access.Organizer), account.NewSecret()
		h.issue(caller, secret)
		rest := h.half(t, string(secret))
		// The request is under way when another one of a new connection has been answered.
		h.As(string(secret)).Get("/api/v1/me").Want(http.StatusOK)
		testkit.Exec(t, h.pool, c.change, caller.UserID)
		if status, answer := rest(newEvent[10:]); status != c.want.Status || !strings.Contains(answer, c.want.Name) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if n := h.rows("events"); n != 0 {
		t.Errorf("%d events were made", n)
	}
}

// A body has five seconds, and a token that is missing needs none.
func TestABodyThatDoesNotArriveIsRefused(t *testing.T) {
	testkit.SkipIfShort(t, "it waits for bodies that do not arrive")
	t.Parallel()
	// With the server's own timeouts, which that of newEnv does not have.
	_, at := startServing(t, server.Config{DatabaseURL: testkit.DatabaseURL(t), MaxConns: 4, Log: slog.New(slog.DiscardHandler)})
	h := &env{Client: testkit.NewClient(t, "http://"+at.String()), t: t}
	rest := h.half(t, string(account.NewSecret()))
	if status, answer := rest(""); status != http.StatusBadRequest || !strings.Contains(answer, "malformed_body") || !strings.Contains(answer, "within 5s") {
		t.Errorf("%d %s", status, answer)
	}
	rest = h.half(t, "")
	if status, answer := rest(""); status != http.StatusUnauthorized {
		t.Errorf("%d %s", status, answer)
	}
}

// A user is no longer deleted without their password, and whoever tries is told how.
func TestDeletionNeedsThePassword(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	_, me := h.user(access.Attendee)
	a := me.Delete("/api/v1/me", testkit.OffContract)
	a.WantProblem(fault.MethodNotAllowed)
	if !strings.Contains(string(a.Body), "POST /api/v1/me/deletion") || strings.Contains(a.Header.Get("Allow"), "DELETE") || a.Header.Get("Allow") == "" {
		t.Errorf("%v %s", a.Header, a.Body)
	}
	me.Post("/api/v1/me/deletion", `{"current_password": "guess"}`).WantProblem(fault.ValidationFailed)
	me.Post("/api/v1/me/deletion", `{}`, testkit.OffContract).WantProblem(fault.ValidationFailed)
	me.Patch("/api/v1/me", `{"email": "new@test.com"}`).WantProblem(fault.ValidationFailed)
	me.Patch("/api/v1/me", `{"email": "new@test.com", "current_password": "guess"}`).WantProblem(fault.ValidationFailed)
	me.Patch("/api/v1/me", `{"email": "new@test.com", "current_password": "`+testkit.Password+`"}`).Want(http.StatusOK)
	me.Get("/api/v1/me").Want(http.StatusOK)
	me.Post("/api/v1/me/deletion", leave).Want(http.StatusNoContent)
	me.Get("/api/v1/me").WantProblem(fault.TokenInvalid)
}
