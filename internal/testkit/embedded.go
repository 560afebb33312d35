//go:build unix

package testkit

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"eventbooking/internal/postgres/embedded"
)

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
