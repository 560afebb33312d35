//go:build unix

package testkit

import (
	"net/url"
	"path"
	"testing"

	"github.com/jackc/pgx/v5"
)

// CopyURL is the URL of a copy of a database from DatabaseURL, so that many tests
// can start from data that took long to insert. The original must have no
// connections. The copy is dropped with the test.
func CopyURL(t testing.TB, original string) string {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	u, err := url.Parse(original)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	name := path.Base(u.Path)
	if s.pooled != "" { // the pooler keeps its connections for a while
		_, err := s.admin.Exec(t.Context(), "SELECT pg_terminate_backend(pid, $2) FROM pg_stat_activity WHERE datname = $1", name, databaseLimit.Milliseconds())
		must(t, err)
	}
	return s.create(t, pgx.Identifier{name}.Sanitize())
}
