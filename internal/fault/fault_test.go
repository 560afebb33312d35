package fault_test

import (
	"testing"

	"eventbooking/internal/fault"
)

func TestNumbersAgreeWithTheirNouns(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		n    int
		noun string
	}{
		"0 seats": {0, "seat"}, "1 seat": {1, "seat"}, "2 seats": {2, "seat"},
		"1 ledger entry": {1, "ledger entry"}, "3 ledger entries": {3, "ledger entry"},
	} {
		if got := fault.Count(c.n, c.noun); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
