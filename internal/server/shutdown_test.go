//go:build unix

package server_test

import (
	"context"
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

// Who stops a process loses nothing: it says that it leaves, takes no new
// connection, and answers what it has begun.
func TestShutdown(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	app, err := server.New(t.Context(), server.Config{
		DatabaseURL: url, MaxConns: 4, Workers: true, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
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
	h := &env{Client: testkit.NewClient(t, "http://"+listener.Addr().String()), t: t, app: app, pool: testkit.Connect(t, url)}
	_, me := h.user(access.Attendee)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)

	// Somebody keeps the slot, so the booking is on its way for as long as we want.
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
	eventually(t, "waiting for the slot", func() bool {
		var waits bool
		err := h.pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Scan(&waits)
		return err == nil && waits
	})
	go func() { stopped <- app.Stop(context.Background()) }()
	eventually(t, "leaving", func() bool {
		recorder := httptest.NewRecorder()
		app.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		return strings.Contains(recorder.Body.String(), fault.ShuttingDown.Name)
	})
	eventually(t, "closed to new connections", func() bool {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	(<-answered).Want(http.StatusCreated)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// A request that does not end is cut off when the time is over.
func TestShutdownIsBounded(t *testing.T) {
	t.Parallel()
	app, err := server.New(t.Context(), server.Config{DatabaseURL: testkit.DatabaseURL(t), MaxConns: 4, Log: slog.New(slog.DiscardHandler)})
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
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	// The answer to the first byte of the body shows that the request has begun.
	if _, err := conn.Write([]byte("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := app.Stop(ended); err == nil {
		t.Error("stopped with a request on its way, and says nothing")
	}
}
