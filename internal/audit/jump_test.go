package audit_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/audit"
)

// jumpsByPairs is the rule of "no queue jumping" as it is said: it compares each booking
// that got seats with each that waited.
func jumpsByPairs(steps []audit.Step) (found []string) {
	for _, g := range steps {
		for i, w := range steps {
			until := slices.IndexFunc(steps[i+1:], func(s audit.Step) bool { return s.SlotID == w.SlotID && s.BookingID == w.BookingID })
			waited := g.SlotID == w.SlotID && w.Waits && w.Version < g.Version && (until < 0 || g.Version < steps[i+1+until].Version)
			if g.Given && waited && w.Place < g.Place && (w.Needs <= g.Free || !slices.Contains(g.Passed, w.BookingID)) {
				found = append(found, jump(g, w))
			}
		}
	}
	return found
}

func jump(g, w audit.Step) string {
	return audit.Finding{SlotID: g.SlotID, BookingID: g.BookingID, Version: g.Version,
		Detail: fmt.Sprintf("the booking got seats while booking %s had waited since the earlier version %d", w.BookingID, w.Place)}.String()
}

// someSteps are steps of a few bookings in two slots: legal or not, often at equal places.
func someSteps(random *rand.Rand) (steps []audit.Step) {
	for slot := range byte(2) {
		for version := range int64(random.IntN(30)) {
			s := audit.Step{SlotID: uuid.UUID{slot}, BookingID: uuid.UUID{9, byte(random.IntN(6))}, Version: version + 1,
				Given: random.IntN(3) == 0, Free: int32(random.IntN(3)), Needs: int32(1 + random.IntN(3)), Place: 1 + random.Int64N(version+1)}
			s.Waits = !s.Given && random.IntN(3) > 0
			for booking := range byte(6) {
				if s.Given && random.IntN(2) == 0 {
					s.Passed = append(s.Passed, uuid.UUID{9, booking})
				}
			}
			steps = append(steps, s)
		}
	}
	return steps
}

func TestJumpsAreThoseOfTheRule(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		steps := someSteps(rand.New(rand.NewPCG(seed, 1)))
		var got []string
		for _, f := range audit.Jumps(steps, 1000) {
			got = append(got, f.String())
		}
		want := jumpsByPairs(steps)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %q, want %q", seed, got, want)
		}
		if n := len(audit.Jumps(steps, 3)); n != min(len(want), 3) {
			t.Fatalf("seed %d: %d jumps of %d, 3 at most", seed, n, len(want))
		}
	}
}

// Many are blocked at first, become free one by one and are then served in order; others
// behind them are served meanwhile: whoever compared each with each would take minutes.
// The last one to be served is not the next.
func TestOneJumpInALongQueueIsNamed(t *testing.T) {
	t.Parallel()
	const waiters = 200_000
	id := func(i int) uuid.UUID { return uuid.UUID{1, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)} }
	var steps []audit.Step
	add := func(s audit.Step) {
		s.Version = int64(len(steps) + 1)
		s.Place = cmp.Or(s.Place, s.Version)
		s.Needs = 1
		steps = append(steps, s)
	}
	for i := range waiters {
		add(audit.Step{BookingID: id(i), Waits: i >= waiters/2})
	}
	served := append(rangeOf(waiters/2, waiters-1), append(rangeOf(0, waiters/2-2), waiters-1)...)
	for n, i := range served {
		if n == waiters/2-1 {
			for blocked := range waiters / 2 {
				add(audit.Step{BookingID: id(blocked), Place: int64(blocked + 1), Waits: true})
			}
		}
		add(audit.Step{BookingID: id(i), Place: int64(i + 1), Given: true, Free: 1})
	}
	found := audit.Jumps(steps, 20)
	want := "booking " + id(waiters/2-2).String()
	if len(found) != 2 || found[0].BookingID != id(waiters-1) || found[0].Version != int64(len(steps)) {
		t.Fatalf("got %v, want two jumps of the last one, over %s and the one after it", found, want)
	}
}

func rangeOf(from, to int) (numbers []int) {
	for i := from; i < to; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}
