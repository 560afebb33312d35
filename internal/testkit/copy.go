//go:build unix

package testkit

import (
	"net/url"
	"path"
	"testing"

	"github.com/jackc/pgx/v5"
)

// CopyURL is the address of a copy of a database from DatabaseURL, to which
// nobody may be connected: what took long to fill serves many tests, which do not
// see each other's changes. It is dropped with the test.
func CopyURL(t testing.TB, of string) string {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	u, err := url.Parse(of)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return s.create(t, pgx.Identifier{path.Base(u.Path)}.Sanitize())
}
