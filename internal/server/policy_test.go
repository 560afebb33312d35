//go:build unix

package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"eventbooking/internal/access"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// wantSecured are the headers of every answer, besides the policy, which differs for pages.
var wantSecured = map[string]string{
	"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
	"Cross-Origin-Resource-Policy": "same-origin",
}

func checkSecured(t *testing.T, what string, header http.Header) {
	t.Helper()
	for name, want := range wantSecured {
		if got := strings.Join(header.Values(name), " and "); got != want {
			t.Errorf("%s: %s is %q, want %q", what, name, got, want)
		}
	}
	if policy := header.Values("Content-Security-Policy"); len(policy) != 1 || !strings.HasPrefix(policy[0], "default-src 'none'") || !strings.Contains(policy[0], "frame-ancestors 'none'") {
		t.Errorf("%s: the policies are %q", what, policy)
	}
	if isPage := strings.HasPrefix(header.Get("Content-Type"), "text/html"); isPage != (header.Get("Cross-Origin-Opener-Policy") == "same-origin") {
		t.Errorf("%s: Cross-Origin-Opener-Policy %q", what, header.Get("Cross-Origin-Opener-Policy"))
	}
	if hsts := header.Get("Strict-Transport-Security"); hsts != "" {
		t.Errorf("%s: Strict-Transport-Security %q without TLS", what, hsts)
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.CORSOrigins = []string{"https://shop.example.com"} })
	_, me := h.user(access.Attendee)
	tag := me.Get("/api/v1/me").Header.Get("ETag")
	for what, c := range map[string]struct {
		status int
		answer testkit.Answer
	}{
		"success":           {200, h.Get("/api/v1/events")},
		"no content":        {204, me.Post("/api/v1/me/deletion", leave)},
		"not modified":      {304, h.Get("/openapi.json", testkit.Header("If-None-Match", h.Get("/openapi.json").Header.Get("ETag")))},
		"HEAD":              {200, h.Send(http.MethodHead, "/livez", nil)},
		"a redirect":        {302, h.plain("GET", "/", "")},
		"no such path":      {404, h.Get("/nowhere", testkit.OffContract)},
		"no such file":      {404, h.Get("/docs/nowhere.js", testkit.OffContract)},
		"no such problem":   {404, h.Get("/problems/nowhere")},
		"wrong method":      {405, h.Send(http.MethodDelete, "/livez", nil, testkit.OffContract)},
		"unknown method":    {405, h.Send("BREW", "/livez", nil, testkit.OffContract)},
		"options":           {204, h.Send(http.MethodOptions, "/livez", nil, testkit.OffContract)},
		"a preflight":       {204, h.Send(http.MethodOptions, "/api/v1/me", nil, testkit.OffContract, testkit.Header("Origin", "https://shop.example.com"), testkit.Header("Access-Control-Request-Method", "GET"))},
		"large body":        {413, h.Post("/api/v1/auth/login", strings.Repeat("x", 65<<10), testkit.OffContract)},
		"media type":        {415, h.Post("/api/v1/auth/login", "x", testkit.OffContract, testkit.Header("Content-Type", "text/plain"))},
		"malformed":         {400, h.Post("/api/v1/auth/login", "{", testkit.OffContract)},
		"no token":          {401, h.Get("/api/v1/me")},
		"Swagger UI":        {200, h.Get("/docs")},
		"a file of it":      {200, h.Get("/docs/swagger-ui.css", testkit.OffContract)},
		"page of a problem": {200, h.Get("/problems/slot_full", testkit.Header("Accept", "text/html"))},
		"compressed":        {200, h.Get("/openapi.json", testkit.Header("Accept-Encoding", "gzip"))},
		"a stale ETag":      {401, me.Get("/api/v1/me", testkit.Header("If-None-Match", tag))},
	} {
		if c.answer.Status != c.status {
			t.Errorf("%s: status %d, want %d", what, c.answer.Status, c.status)
		}
		checkSecured(t, what, c.answer.Header)
	}
}

func TestOptionsOfTheServerHaveTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	app, at := startServing(t, server.Config{DatabaseURL: testkit.DatabaseURL(t), MaxConns: 4, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = app.Stop(context.Background()) })
	a := raw(t, at.String(), "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if a.Status != http.StatusOK || len(a.Body) > 0 || a.Header.Get("Content-Length") != "0" {
		t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
	}
	checkSecured(t, "OPTIONS *", a.Header)
}

// Where the service serves TLS itself, browsers are to use nothing else.
func TestTLSIsRequiredWhereItIsServed(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	for _, path := range []string{"/livez", "/nowhere", "/docs"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.TLS = &tls.ConnectionState{}
		recorder := httptest.NewRecorder()
		h.app.Handler().ServeHTTP(recorder, r)
		if got := recorder.Header().Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("%s: Strict-Transport-Security %q", path, got)
		}
	}
}

// People try what the API does not have, such as to find a user by the address.
func TestPathsAreLoggedWithoutAddresses(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := newEnv(t, func(c *server.Config) {
		c.Workers, c.Log = false, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	id := testkit.ID().String()
	for _, path := range []string{
		"/api/v1/users/me@test.com", "/api/v1/users/me%40test.com", "/api/v1/users/me%2540test.com/x", "/me@test.com", "/problems/me@test.com",
		"/docs/me%40test.com", "/api/v1/bookings/" + id + "/m%65%40test.com", "/api/v1/events?q=me@test.com", "//me@test.com",
	} {
		h.Get(path, testkit.OffContract)
	}
	if err := h.app.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); strings.Contains(text, "test.com") || strings.Contains(text, "@") || strings.Contains(text, "40test") {
		t.Errorf("addresses are logged:\n%s", text)
	} else if !strings.Contains(text, `"/api/v1/users/*"`) || !strings.Contains(text, `"/api/v1/bookings/`+id+`/*"`) {
		t.Errorf("the rest of a path is not logged:\n%s", text)
	}
}
