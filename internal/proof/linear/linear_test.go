//go:build unix

package linear

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/labtest"
	"eventbooking/internal/proof/spec"
)

func TestTheServiceIsLinearizable(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	figure, err := Prove(t.Context(), l, Options{Histories: 2, Clients: 6, Operations: 60, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)

	// What cannot be explained is a broken promise, with a picture of it.
	p := &proof{lab: l}
	oversold := []porcupine.Operation{
		{Input: &spec.Request{Verb: spec.Book, Seats: 1, Replaces: spec.None}, Output: shown(has(0, 1, 1)), Call: 1, Return: 2},
		{Input: &spec.Request{Verb: spec.Book, Who: 1, Seats: 1, Replaces: spec.None}, Output: shown(has(1, 2, 1)), Call: 1, Return: 2},
	}
	err = p.check("oversold", slotModel(oneSlot(1)), oversold, nil)
	pictures, _ := filepath.Glob(filepath.Join(l.Dir(), "linear-*.html"))
	if !errors.Is(err, lab.ErrBroken) || len(pictures) != 1 || !strings.Contains(err.Error(), pictures[0]) {
		t.Fatalf("%v; pictures: %q", err, pictures)
	}
	if text, err := os.ReadFile(pictures[0]); err != nil || !strings.Contains(string(text), "1: book seats=1") {
		t.Errorf("the picture does not tell the scenario: %v", err)
	}
	if err := p.check("undone", slotModel(oneSlot(1)), oversold[:1], errors.New("seats are free")); !errors.Is(err, lab.ErrBroken) {
		t.Errorf("what was left undone is %v", err)
	}
}

func TestTooManyClientsAreRefused(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Operations: 1}, {Clients: maxClients + 1, Operations: 1}} {
		if _, err := Prove(t.Context(), nil, o); err == nil {
			t.Errorf("%+v are let through", o)
		}
	}
}
