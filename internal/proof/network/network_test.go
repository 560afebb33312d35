//go:build unix

package network_test

import (
	"testing"
	"time"

	"eventbooking/internal/proof/labtest"
	"eventbooking/internal/proof/network"
)

// Each toxic once at each moment. How soon the service is healthy is not judged
// here, where the machine may be busy. Alone: it counts goroutines.
func TestBadNetworksLoseNothing(t *testing.T) {
	l := labtest.Open(t)
	figure, err := network.Prove(t.Context(), l, network.Options{Times: 1, Healthy: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(figure)
}
