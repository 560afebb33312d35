//go:build unix

package server_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// connect opens a connection that ends with the test.
func connect(t testing.TB, base string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Connections that say nothing, from the start or after an answer, keep nobody out: those
// that have been silent for the longest time are closed.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 5
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	app, err := server.New(t.Context(), server.Config{DatabaseURL: testkit.DatabaseURL(t), MaxConnections: most, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context(), listener); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	live := func(conn net.Conn) error {
		if _, err := conn.Write([]byte("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			return err
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	var conns []net.Conn
	for i := range 4 * most {
		conns = append(conns, connect(t, listener.Addr().String()))
		if i%2 == 1 {
			if err := live(conns[i]); err != nil {
				t.Fatalf("connection %d gets no answer: %v", i, err)
			}
		}
	}
	open := 0
	for _, conn := range conns {
		if live(conn) == nil {
			open++
		}
	}
	if open != most {
		t.Errorf("%d connections are open, want %d", open, most)
	}
}
