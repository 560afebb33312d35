package witness

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"eventbooking/internal/proof/spec"
)

// tally counts what histories are made of.
type tally struct {
	operations, entries int
	took                time.Duration
	kinds               map[spec.Kind]int
	endings             map[Ending]int
	// mix is how often each verb ended how.
	mix map[string]int
}

func (t *tally) add(h History) {
	if t.mix == nil {
		t.kinds, t.endings, t.mix = map[spec.Kind]int{}, map[Ending]int{}, map[string]int{}
	}
	t.operations += len(h.Operations)
	t.entries += len(h.Entries)
	for _, e := range h.Entries {
		t.kinds[e.Kind]++
	}
	for _, o := range h.Operations {
		t.endings[o.Ending]++
		t.mix[strings.TrimSpace(fmt.Sprintf("%s: %s %s", o.Verb, o.Ending, o.Saw.Code))]++
	}
}

func (t tally) String() string {
	rate := float64(t.operations) / max(t.took.Seconds(), 1e-9)
	return fmt.Sprintf("%.0f a second, %d refused, %d served from the queue, %d passed, %d run out",
		rate, t.endings[Refused], t.kinds[spec.KindPromoted]+t.kinds[spec.KindOffered], t.kinds[spec.KindPassed], t.kinds[spec.KindExpired])
}

// Mix tells what the histories were made of, one line each.
func (t tally) Mix() string {
	var text strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(t.kinds)) {
		fmt.Fprintf(&text, "%8d entries %s\n", t.kinds[kind], kind)
	}
	for _, line := range slices.Sorted(maps.Keys(t.mix)) {
		fmt.Fprintf(&text, "%8d %s\n", t.mix[line], line)
	}
	return text.String()
}
