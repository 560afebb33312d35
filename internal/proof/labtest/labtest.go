//go:build unix

// Package labtest opens labs for tests.
package labtest

import (
	"testing"

	"eventbooking/internal/proof/lab"
)

// Open is a lab that closes with the test, and leaves its logs where it failed.
func Open(t testing.TB) *lab.Lab {
	t.Helper()
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
