//go:build unix

// Package labtest opens labs for tests.
package labtest

import (
	"testing"

	"eventbooking/internal/proof/lab"
)

// Open is a lab that closes with the test, and leaves its logs where it failed.
// Tests with a lab are skipped by go test -short.
func Open(t testing.TB) *lab.Lab {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped with -short: it builds the service, or starts and kills servers of its own")
	}
	l, err := lab.Open(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(t.Failed()); err != nil {
			t.Error(err)
		}
	})
	return l
}
