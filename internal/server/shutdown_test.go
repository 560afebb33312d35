//go:build unix

package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// startServing starts the service on a listener of its own.
func startServing(t *testing.T, config server.Config) (*server.App, net.Addr) {
	t.Helper()
	app, err := server.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context(), listener); err != nil {
		t.Fatal(err)
	}
	return app, listener.Addr()
}

func TestShutdownAnswersTheRunningRequests(t *testing.T) {
	testkit.SkipIfShort(t, "it stops a service")
	t.Parallel()
	url := testkit.DatabaseURL(t)
	app, addr := startServing(t, server.Config{
		DatabaseURL: url, MaxConns: 4, Workers: true, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	h := &env{Client: testkit.NewClient(t, "http://"+addr.String()), t: t, app: app, pool: testkit.Connect(t, url)}
	_, me := h.user(access.Attendee)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)

	// While this transaction locks the slot, the booking waits.
	tx, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "SELECT FROM slots WHERE id = $1 FOR UPDATE", slot.ID); err != nil {
		t.Fatal(err)
	}
	answered, stopped := make(chan testkit.Answer), make(chan error)
	go func() { answered <- me.Post("/api/v1/slots/"+slot.ID.String()+"/bookings", `{}`) }()
	h.awaitLockWait()
	go func() { stopped <- app.Stop(context.Background()) }()
	awaitDraining(t, app, addr)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	(<-answered).Want(http.StatusCreated)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// awaitLockWait waits until somebody waits for a lock in the database.
func (h *env) awaitLockWait() {
	h.t.Helper()
	testkit.Await(h.t, "the booking waits for the slot", func() error {
		var waits bool
		err := h.pool.QueryRow(h.t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Scan(&waits)
		if err == nil && !waits {
			return errors.New("nobody waits")
		}
		return err
	})
}

// awaitDraining waits until the service says that it is shutting down, and accepts no
// new connections.
func awaitDraining(t *testing.T, app *server.App, addr net.Addr) {
	t.Helper()
	eventually(t, "the service is not ready", func() bool {
		recorder := httptest.NewRecorder()
		app.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		return strings.Contains(recorder.Body.String(), fault.ShuttingDown.Name)
	})
	eventually(t, "new connections are refused", func() bool {
		conn, err := net.Dial("tcp", addr.String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
}

func TestShutdownCutsRequestsOffAtItsDeadline(t *testing.T) {
	testkit.SkipIfShort(t, "it stops a service")
	t.Parallel()
	app, addr := startServing(t, server.Config{DatabaseURL: testkit.DatabaseURL(t), MaxConns: 4, Log: slog.New(slog.DiscardHandler)})
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The first byte of the answer, 100 Continue, shows that the request has begun.
	if _, err := conn.Write([]byte("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := app.Stop(ended); err == nil {
		t.Error("stopped without an error while a request was running")
	}
}
