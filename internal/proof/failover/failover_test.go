//go:build unix

package failover_test

import (
	"testing"

	"eventbooking/internal/proof/failover"
	"eventbooking/internal/proof/labtest"
)

// One failover, and the standby missing.
func TestFailoversLoseNothing(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	figure, err := failover.Prove(t.Context(), l, failover.Options{Failovers: 1, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
