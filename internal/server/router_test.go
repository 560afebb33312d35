package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
)

// odd is the service with one operation that does something else.
type odd struct {
	*Operations
	do func(ctx context.Context) error
}

func (o odd) GetLiveness(ctx context.Context, _ api.GetLivenessRequestObject) (api.GetLivenessResponseObject, error) {
	return nil, o.do(ctx)
}

// ask sends a request to an operation that does do, and gives the answer and the log.
func ask(t *testing.T, timeout time.Duration, do func(context.Context) error) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	router, err := newRouter(routerOptions{
		operations:   odd{do: do},
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

// Whatever a handler comes to, its caller gets a problem without details, and the
// log gets them, once.
func TestUnforeseenErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do     func(context.Context) error
		want   *fault.Code
		logged string // "" if it is not worth a line
	}{
		"panic":            {func(context.Context) error { panic("secret") }, fault.Internal, `"stack":"`},
		"nil pointer":      {func(context.Context) error { var o *Operations; o.stopping.Load(); return nil }, fault.Internal, `"stack":"`},
		"unknown":          {func(context.Context) error { return errors.New("secret") }, fault.Internal, `"error":"secret"`},
		"out of time":      {func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("read: %w", ctx.Err()) }, fault.Overloaded, "deadline exceeded"},
		"the caller's end": {func(context.Context) error { return context.Canceled }, fault.Overloaded, ""},
		"database gone":    {func(context.Context) error { return fmt.Errorf("read: %w", io.ErrUnexpectedEOF) }, fault.DatabaseUnavailable, "unexpected EOF"},
		"refusal":          {func(context.Context) error { return fault.SlotFull }, fault.SlotFull, ""},
		"wrapped":          {func(context.Context) error { return fmt.Errorf("secret: %w", fault.SlotFull.New("Full.")) }, fault.SlotFull, ""},
		"Echo's":           {func(context.Context) error { return echo.ErrTeapot }, fault.Internal, "teapot"},
		"not for JSON": {func(context.Context) error {
			return fault.SlotFull.New("Full.").With(fault.Members{OpensAt: new(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))})
		}, fault.Internal, ""},
		"shutting down": {func(context.Context) error { return fault.ShuttingDown }, fault.ShuttingDown, "shutting_down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, log := ask(t, 50*time.Millisecond, c.do)
			var p api.Problem
			if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || string(p.Code) != c.want.Name || answer.Code != c.want.Status {
				t.Fatalf("%d %s, want %s", answer.Code, answer.Body, c.want.Name)
			}
			if strings.Contains(answer.Body.String(), "secret") {
				t.Errorf("the caller learns of it: %s", answer.Body)
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

// The log tells what happened, and neither who asked for what nor any secret.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	router, err := newRouter(routerOptions{
		operations: odd{do: func(context.Context) error { return nil }}, docs: http.NotFoundHandler(), timeout: time.Second,
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
