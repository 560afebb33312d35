//go:build unix

package keys

import (
	"bytes"
	"fmt"

	"eventbooking/internal/proof/load"
)

// agree says what is wrong with the definite answers to one key, in no order:
// they must be the same to the byte, and all but the first one repetitions. Where
// somebody got no answer, the first may have been that one's. Refusals that say
// that the request was wrong have no effect and are not kept; all must be such.
func agree(answers []settled) error {
	first := answers[0]
	fresh, unknown := 0, false
	for _, a := range answers {
		unknown = unknown || a.unknown
		if !a.Replayed() {
			fresh++
		}
		switch {
		case a.Problem().Code == "idempotency_key_reused":
			return fmt.Errorf("the same request was taken for another one: %s", a.Body)
		case a.Status != first.Status:
			return fmt.Errorf("the answers are %d %s, and %d %s", first.Status, first.Body, a.Status, a.Body)
		case load.Settled(a.Answer) && !bytes.Equal(a.Body, first.Body):
			return fmt.Errorf("the answers %d differ: %s, and %s", a.Status, first.Body, a.Body)
		case load.Settled(a.Answer) && a.Header.Get("ETag")+a.Header.Get("Location") != first.Header.Get("ETag")+first.Header.Get("Location"):
			return fmt.Errorf("the headers differ: %v, and %v", first.Header, a.Header)
		}
	}
	switch {
	case !load.Settled(first.Answer):
		return nil
	case fresh > 1:
		return fmt.Errorf("%d of the answers are no repetitions: %d %s", fresh, first.Status, first.Body)
	case fresh == 0 && !unknown:
		return fmt.Errorf("all answers are repetitions, of nothing: %d %s", first.Status, first.Body)
	}
	return nil
}
