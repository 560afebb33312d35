//go:build unix

package witness_test

import (
	"testing"

	"eventbooking/internal/proof/labtest"
	"eventbooking/internal/proof/witness"
)

// A small experiment: whatever was told was true.
func TestWhateverWasToldWasTrue(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	figure, err := witness.Prove(t.Context(), l, witness.Options{Operations: 2000, InFlight: 40, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
