//go:build unix

package mutant

import (
	"testing"

	"eventbooking/internal/proof/labtest"
)

// Every edit fits the source as it is today, and what comes out compiles.
func TestMutantsCompile(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
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
