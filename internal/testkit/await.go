//go:build unix

package testkit

import (
	"testing"
	"time"
)

// waitLimit is how long a test waits for what must happen at some time.
const waitLimit = 30 * time.Second

// SkipIfShort skips a test under go test -short, and says why: such as that it
// starts and kills servers.
func SkipIfShort(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped by -short: " + why)
	}
}

// Await waits until try returns nil, for 30 seconds at most. The clause what
// completes "waiting until".
func Await(t testing.TB, what string, try func() error) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < waitLimit; time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("timed out waiting until %s: %v", what, err)
}
