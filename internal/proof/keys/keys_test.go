//go:build unix

package keys_test

import (
	"testing"

	"eventbooking/internal/proof/keys"
	"eventbooking/internal/proof/labtest"
)

func TestKeysHaveOneEffect(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	figure, err := keys.Prove(t.Context(), l, keys.Options{Keys: 200, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
