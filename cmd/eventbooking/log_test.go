//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"context"

	"eventbooking/internal/testkit"
)

// registrations run into everything that compares e-mail addresses.
func registrations(t *testing.T, base string) {
	t.Helper()
	ask := func(method, path, token, body string) (status int, text string) {
		request, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("User-Agent", "agent@test.com")
		request.Header.Set("From", "from@test.com")
		request.Header.Set("Traceparent", "me@test.com")
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(request)
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
	person := func(email string) string {
		return fmt.Sprintf(`{"email": %q, "name": "Somebody", "password": "correct horse battery"}`, email)
	}
	statuses := map[int]int{}
	count := func(status int, _ string) { statuses[status]++ }
	count(ask("POST", "/api/v1/auth/register", "", person("taken@test.com")))
	_, answer := ask("POST", "/api/v1/auth/register", "", person("mine@test.com"))
	_, token, _ := strings.Cut(answer, `"token":"`)
	token, _, _ = strings.Cut(token, `"`)
	var group sync.WaitGroup
	for range 8 { // only one at a time is first to see that nobody has it
		group.Go(func() { ask("POST", "/api/v1/auth/register", "", person("raced@test.com")) })
	}
	group.Wait()
	for _, c := range [][3]string{
		{"POST", "/api/v1/auth/register", person("taken@test.com")}, {"POST", "/api/v1/auth/register", person("TAKEN@test.com")},
		{"POST", "/api/v1/auth/register", person("no address@")}, {"POST", "/api/v1/auth/register", person("invisible\u200b@test.com")},
		{"PATCH", "/api/v1/me", `{"email": "taken@test.com", "current_password": "correct horse battery"}`},
		{"PATCH", "/api/v1/me", `{"email": "other@test.com", "current_password": "correct horse battery"}`},
		{"POST", "/api/v1/auth/login", `{"email": "taken@test.com", "password": "wrong"}`}, {"POST", "/api/v1/auth/login", `{"email": "nobody@test.com", "password": "wrong"}`},
		{"GET", "/api/v1/users?email=taken@test.com", ""}, {"GET", "/api/v1/users/taken@test.com", ""}, {"GET", "/api/v1/events?q=taken@test.com", ""},
		{"GET", "/api/v1/me?cursor=taken@test.com", ""}, {"DELETE", "/taken%40test.com", ""}, {"POST", "/api/v1/me/tokens", `{"name": "taken@test.com", "abilities": ["me:read"]}`},
	} {
		count(ask(c[0], c[1], token, c[2]))
	}
	if statuses[http.StatusConflict] < 3 || statuses[http.StatusCreated] < 2 || statuses[http.StatusUnprocessableEntity] < 2 || statuses[http.StatusUnauthorized] < 2 {
		t.Errorf("not what was to happen: %v", statuses)
	}
}

// At no level: the server of PostgreSQL, too, logs what violates a constraint.
func TestTheLogHasNoEmailAddresses(t *testing.T) {
	testkit.SkipIfShort(t, "it starts a server")
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var printed, logged output
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--addr=127.0.0.1:0", "--data-dir=" + testkit.ServerDir(t), "--log-level=debug", "--rate-limits=off"},
			strings.NewReader(""), &printed, &logged)
	}()
	base := printed.wait(t, "Serving on   ")
	waitFor(t, "it is ready", func() bool { return isReady(base) })
	registrations(t, base)
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d", code)
	}
	text := logged.String()
	for line := range strings.Lines(text) {
		if strings.Contains(line, "@") || strings.Contains(line, "test.com") {
			t.Errorf("an address is logged: %s", line)
		}
	}
	if !strings.Contains(text, "violates unique constraint") {
		t.Error("nothing violated a constraint")
	}
}
