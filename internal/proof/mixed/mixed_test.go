//go:build unix

package mixed_test

import (
	"testing"

	"eventbooking/internal/proof/labtest"
	"eventbooking/internal/proof/mixed"
)

func TestCommandsOfEveryKindDoNotDeadlock(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	figure, err := mixed.Prove(t.Context(), l, mixed.Options{Commands: 2000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
