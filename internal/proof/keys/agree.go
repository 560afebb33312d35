//go:build unix

package keys

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"time"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

// agree says what became of the definite answers to one key, in no order: the
// success if there is one, otherwise a refusal. It fails if they contradict each
// other. Successes must be the same to the byte, and all but the first one
// repetitions; where somebody got no answer, the first may have been that one's.
// Refusals are not kept, so they may differ, but none comes after a success.
func agree(answers []settled) (lab.Answer, error) {
	var successes, refusals []lab.Answer
	unknown := false
	for _, a := range answers {
		unknown = unknown || a.unknown
		if load.Succeeded(a.Answer) {
			successes = append(successes, a.Answer)
		} else {
			refusals = append(refusals, a.Answer)
		}
	}
	if len(successes) == 0 {
		return refusals[0], refused(refusals, math.MaxInt64)
	}
	known := successes[0].Returned
	for _, a := range successes {
		known = min(known, a.Returned)
	}
	return successes[0], errors.Join(same(successes, unknown), refused(refusals, known))
}

// same says how successes differ, or how many are none of each other's repetitions.
func same(successes []lab.Answer, unknown bool) error {
	first, fresh := successes[0], 0
	for _, a := range successes {
		if !a.Replayed() {
			fresh++
		}
		switch {
		case a.Status != first.Status || !bytes.Equal(a.Body, first.Body):
			return fmt.Errorf("the answers are %d %s, and %d %s", first.Status, first.Body, a.Status, a.Body)
		case a.Header.Get("ETag")+a.Header.Get("Location") != first.Header.Get("ETag")+first.Header.Get("Location"):
			return fmt.Errorf("the headers differ: %v, and %v", first.Header, a.Header)
		}
	}
	switch {
	case fresh > 1:
		return fmt.Errorf("%d of the answers are no repetitions: %d %s", fresh, first.Status, first.Body)
	case fresh == 0 && !unknown:
		return fmt.Errorf("all answers are repetitions, of nothing: %d %s", first.Status, first.Body)
	}
	return nil
}

// refused says which refusals are wrong, given when the success was known.
func refused(refusals []lab.Answer, known time.Duration) error {
	for _, a := range refusals {
		switch {
		case a.Problem().Code == "idempotency_key_reused":
			return fmt.Errorf("the same request was taken for another one: %s", a.Body)
		case a.Replayed():
			return fmt.Errorf("a refusal was kept: %d %s", a.Status, a.Body)
		case a.Called > known:
			return fmt.Errorf("a request that had succeeded was refused: %d %s", a.Status, a.Body)
		}
	}
	return nil
}
