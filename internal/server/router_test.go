package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// stub implements GetLiveness by a function, and no other operation.
type stub struct {
	*Operations
	do func(ctx context.Context) error
}

func (s stub) GetLiveness(ctx context.Context, _ api.GetLivenessRequestObject) (api.GetLivenessResponseObject, error) {
	return nil, s.do(ctx)
}

// request sends a request to an operation that calls do, and returns the answer and
// the log.
func request(t *testing.T, timeout time.Duration, do func(context.Context) error) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	router, err := newRouter(routerOptions{
		operations:   stub{do: do},
		authenticate: func(context.Context, string) (access.Caller, error) { return access.Nobody, nil },
		docs:         http.NotFoundHandler(), timeout: timeout,
		log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/livez", nil))
	return recorder, log.String()
}

// handlerErrors are errors of handlers, with the codes that callers get and what is
// logged; "" if nothing is.
var handlerErrors = map[string]struct {
	do     func(context.Context) error
	want   *fault.Code
	logged string
}{
	"panic":       {func(context.Context) error { panic("secret") }, fault.Internal, `"stack":"`},
	"nil pointer": {func(context.Context) error { var o *Operations; o.stopping.Load(); return nil }, fault.Internal, `"stack":"`},
	"unknown":     {func(context.Context) error { return errors.New("secret") }, fault.Internal, `"error":"secret"`},
	"deadline":    {func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("read: %w", ctx.Err()) }, fault.Overloaded, "deadline exceeded"},
	// Not by the client, whose end does not end the context.
	"cancelled": {func(context.Context) error { return context.Canceled }, fault.Overloaded, "context canceled"},
	"database lost": {func(context.Context) error {
		return postgres.Translate(fmt.Errorf("read: %w", io.ErrUnexpectedEOF))
	}, fault.DatabaseUnavailable, "unexpected EOF"},
	// Whoever uses the database translates its errors; this is another network.
	"other connection lost": {func(context.Context) error {
		return &net.OpError{Op: "write", Err: syscall.ECONNRESET}
	}, fault.Internal, "connection reset"},
	"refusal": {func(context.Context) error { return fault.SlotFull }, fault.SlotFull, ""},
	"wrapped": {func(context.Context) error { return fmt.Errorf("secret: %w", fault.SlotFull.New("Full.")) }, fault.SlotFull, ""},
	"Echo's":  {func(context.Context) error { return echo.ErrTeapot }, fault.Internal, "teapot"},
	"not for JSON": {func(context.Context) error {
		return fault.SlotFull.New("Full.").With(fault.Members{OpensAt: new(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))})
	}, fault.Internal, ""},
	"shutting down": {func(context.Context) error { return fault.ShuttingDown }, fault.ShuttingDown, "shutting_down"},
}

func TestHandlerErrorsAreLoggedOnceAndShownWithoutDetails(t *testing.T) {
	t.Parallel()
	for name, c := range handlerErrors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, log := request(t, 50*time.Millisecond, c.do)
			var p api.Problem
			if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || string(p.Code) != c.want.Name || answer.Code != c.want.Status {
				t.Fatalf("%d %s, want %s", answer.Code, answer.Body, c.want.Name)
			}
			if strings.Contains(answer.Body.String(), "secret") {
				t.Errorf("the caller sees the details: %s", answer.Body)
			}
			if c.want.Retryable != (answer.Header().Get("Retry-After") == "1") {
				t.Errorf("Retry-After: %q", answer.Header().Get("Retry-After"))
			}
			lines := strings.Count(log, `"msg":"request failed"`)
			if c.logged == "" && lines != 0 || c.logged != "" && (lines != 1 || !strings.Contains(log, c.logged) || !strings.Contains(log, p.RequestID)) {
				t.Errorf("the log has %d lines of it, want %q with the request id:\n%s", lines, c.logged, log)
			}
		})
	}
}

func TestAccessLogHasNoQueriesHeadersOrSecrets(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	router, err := newRouter(routerOptions{
		operations: stub{do: func(context.Context) error { return nil }}, docs: http.NotFoundHandler(), timeout: time.Second,
		authenticate: func(context.Context, string) (access.Caller, error) {
			return access.Nobody, fault.TokenInvalid.New("Unknown.")
		},
		log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/api/v1/me?email=secret@test.com", nil)
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("X-Forwarded-For", "6.6.6.6")
	router.ServeHTTP(httptest.NewRecorder(), r)
	if text := log.String(); strings.Contains(text, "secret") || strings.Contains(text, "6.6.6.6") ||
		!strings.Contains(text, `"path":"/api/v1/me"`) || !strings.Contains(text, `"status":401`) {
		t.Error(text)
	}
}
