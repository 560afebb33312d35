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
	return s.create(t, pgx.Identifier{path.Base(u.Path)}.Sanitize())
}
