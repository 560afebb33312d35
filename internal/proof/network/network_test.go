//go:build unix

package network_test

import (
	"testing"
	"time"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/network"
)

// Each toxic once at each moment. How soon the service is healthy is not judged
// here, where the machine may be busy. Alone: it counts goroutines.
func TestProve(t *testing.T) {
	l, err := lab.Open(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(t.Failed()); err != nil {
			t.Error(err)
		}
	}()
	figure, err := network.Prove(t.Context(), l, network.Options{Times: 1, Healthy: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
