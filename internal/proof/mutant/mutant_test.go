//go:build unix

package mutant

import (
	"testing"

	"eventbooking/internal/proof/lab"
)

// Every edit fits the source as it is today, and what comes out compiles.
func TestMutantsCompile(t *testing.T) {
	t.Parallel()
	l, err := lab.Open(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close(false) }()
	if _, err := build(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range All {
		if names[m.Name] || len(m.SeenBy) == 0 || len(m.Edits) == 0 || m.Mistake == "" {
			t.Errorf("%s is twice, or not whole", m.Name)
		}
		names[m.Name] = true
	}
}
