//go:build unix

package testkit

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/postgres/embedded"
)

// waitLimit is how long a test waits for what must happen at some time.
const waitLimit = 30 * time.Second

// Embedded starts a PostgreSQL server in a directory from ServerDir, or joins the
// one that runs there. It is stopped with the test. For tests that stop, kill or
// configure a server; all others use Database.
func Embedded(t testing.TB, dir string) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { StopEmbedded(t, s) })
	return s
}

// StopEmbedded stops a server before its test ends.
func StopEmbedded(t testing.TB, s *embedded.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// ServerDir is a temporary directory for a server's data: every user can enter
// it, unlike t.TempDir, and its path is short enough for a socket.
func ServerDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "evb-*")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	return dir
}

// SkipIfShort skips a test under go test -short, and says why: such as that it
// starts and kills servers.
func SkipIfShort(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped by -short: " + why)
	}
}

// Await waits until try returns nil, for 30 seconds at most. The clause what
// completes "waiting until".
func Await(t testing.TB, what string, try func() error) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < waitLimit; time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("timed out waiting until %s: %v", what, err)
}

// ExecOn runs one statement on a new connection. It returns the error of
// connecting, too: that is how a test sees that a server is down.
func ExecOn(url, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// QueryOn reads one value on a new connection.
func QueryOn[T any](t testing.TB, url, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	must(t, conn.QueryRow(t.Context(), sql).Scan(&value))
	return value
}
