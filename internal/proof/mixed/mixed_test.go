//go:build unix

package mixed_test

import (
	"testing"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/mixed"
)

func TestProve(t *testing.T) {
	t.Parallel()
	l, err := lab.Open(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close(t.Failed()) }()
	figure, err := mixed.Prove(t.Context(), l, mixed.Options{Commands: 2000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
