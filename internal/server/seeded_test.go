//go:build unix

package server_test

import (
	"net/http"
	"strings"
	"testing"

	"eventbooking/internal/seed"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// Who tries all that the seed's report says, from one address and as fast as they can,
// meets no limit that is on by default.
func TestTheSeededStoryMeetsNoLimit(t *testing.T) {
	testkit.SkipIfShort(t, "it seeds a database and logs many users in")
	t.Parallel()
	url := testkit.DatabaseURL(t)
	report, err := seed.Run(t.Context(), testkit.Connect(t, url), seed.Options{Number: 1})
	if err != nil {
		t.Fatal(err)
	}
	h := newEnv(t, limited(""), func(c *server.Config) { c.DatabaseURL = url })
	steps := 0
	for _, scenario := range report.Scenarios {
		for _, step := range scenario.Steps {
			client := h.Client
			if step.Email != "" {
				client = h.logIn(h.idOf(step.Email))
			}
			method, rest, _ := strings.Cut(step.Request, " ")
			path, body, hasBody := strings.Cut(rest, " ")
			var sent any
			if hasBody {
				sent = body
			}
			answer := client.Send(method, "/api/v1"+path, sent, testkit.OffContract)
			if answer.Status == http.StatusTooManyRequests || answer.Status >= http.StatusInternalServerError || answer.Header.Get("RateLimit") == "" {
				t.Errorf("%s, as %s: %s: %d, RateLimit %q", scenario.Name, step.Email, step.Request, answer.Status, answer.Header.Get("RateLimit"))
			}
			steps++
		}
	}
	if steps < 20 {
		t.Errorf("the report has %d steps", steps)
	}
}

// idOf returns the id of a user.
func (h *env) idOf(email string) (id string) {
	h.t.Helper()
	if err := h.pool.QueryRow(h.t.Context(), "SELECT id::text FROM users WHERE email = $1", email).Scan(&id); err != nil {
		h.t.Fatal(err)
	}
	return id
}
