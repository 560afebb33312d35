//go:build unix

package keys_test

import (
	"testing"

	"eventbooking/internal/proof/keys"
	"eventbooking/internal/proof/lab"
)

func TestProve(t *testing.T) {
	t.Parallel()
	l, err := lab.Open(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close(t.Failed()) }()
	figure, err := keys.Prove(t.Context(), l, keys.Options{Keys: 200, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
