package witness

import (
	"fmt"
	"time"

	"eventbooking/internal/proof/spec"
)

// tally counts what histories are made of.
type tally struct {
	operations int
	took       time.Duration
	kinds      map[spec.Kind]int
	endings    map[Ending]int
}

func (t *tally) add(h History) {
	if t.kinds == nil {
		t.kinds, t.endings = map[spec.Kind]int{}, map[Ending]int{}
	}
	t.operations += len(h.Operations)
	for _, e := range h.Entries {
		t.kinds[e.Kind]++
	}
	for _, o := range h.Operations {
		t.endings[o.Ending]++
	}
}

func (t tally) String() string {
	rate := float64(t.operations) / max(t.took.Seconds(), 1e-9)
	return fmt.Sprintf("%.0f a second, %d refused, %d served from the queue, %d passed, %d run out",
		rate, t.endings[Refused], t.kinds[spec.KindPromoted]+t.kinds[spec.KindOffered], t.kinds[spec.KindPassed], t.kinds[spec.KindExpired])
}
