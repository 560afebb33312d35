//go:build unix

package keys

import (
	"testing"

	"github.com/google/uuid"
)

func TestLostAndUnaccountedEffectsAreFound(t *testing.T) {
	t.Parallel()
	a, b := uuid.New(), uuid.New()
	tests := map[string]struct {
		told, there []uuid.UUID
		want        int
	}{
		"the same":            {[]uuid.UUID{a, b}, []uuid.UUID{b, a}, 0},
		"lost":                {[]uuid.UUID{a, b}, []uuid.UUID{a}, 1},
		"one more than told":  {[]uuid.UUID{a}, []uuid.UUID{a, b}, 1},
		"one told of twice":   {[]uuid.UUID{a, a}, []uuid.UUID{a}, 1},
		"another one instead": {[]uuid.UUID{a}, []uuid.UUID{b}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := differences("events", test.told, test.there); len(found) != test.want {
				t.Errorf("%d findings, want %d: %v", len(found), test.want, found)
			}
		})
	}
}
