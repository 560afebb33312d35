//go:build unix

package failover_test

import (
	"testing"

	"eventbooking/internal/proof/failover"
	"eventbooking/internal/proof/lab"
)

// One failover, and the standby missing.
func TestProve(t *testing.T) {
	t.Parallel()
	l, err := lab.Open(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(t.Failed()); err != nil {
			t.Error(err)
		}
	}()
	figure, err := failover.Prove(t.Context(), l, failover.Options{Failovers: 1, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
