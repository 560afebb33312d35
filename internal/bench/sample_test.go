package bench

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// The ranges are those of tables of order statistics for the median.
func TestAFigureIsTheMedianWithItsRange(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   figure
	}{
		{[]float64{3}, figure{3, 3, 3}},
		{[]float64{4, 1}, figure{2.5, 1, 4}},
		{[]float64{5, 1, 4, 2, 3}, figure{3, 1, 5}},
		{[]float64{6, 5, 4, 3, 2, 1}, figure{3.5, 1, 6}},
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8}, figure{4.5, 1, 8}},
		{[]float64{9, 8, 7, 6, 5, 4, 3, 2, 1}, figure{5, 2, 8}},
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, figure{6.5, 3, 10}},
	} {
		if got := figureOf(c.values); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.values, got, c.want)
		}
	}
	if got := figureOf(nil); !math.IsNaN(got.median) || got.String() != "–" {
		t.Errorf("of nothing: %+v", got)
	}
}

// The range holds the true median as often as it says, and tells a difference.
func TestARangeHoldsTheMedian(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const tries, rounds = 4000, 9
	holds, told := 0, 0
	for range tries {
		same, slower := make([]float64, rounds), make([]float64, rounds)
		for i := range same {
			// As noisy as a shared machine: the logarithm of a ratio swings by 5 %.
			same[i], slower[i] = math.Exp(random.NormFloat64()*0.05), 1.15*math.Exp(random.NormFloat64()*0.05)
		}
		if !figureOf(same).differs() {
			holds++
		}
		if figureOf(slower).differs() {
			told++
		}
	}
	if share := float64(holds) / tries; share < confidence {
		t.Errorf("the range holds the median in %.3f of the tries, want %.2f", share, confidence)
	}
	if share := float64(told) / tries; share < 0.95 {
		t.Errorf("a difference of 15 %% is seen in %.3f of the tries", share)
	}
}

func TestRatiosAreThoseOfRounds(t *testing.T) {
	fast := series{{Requests: 100, Elapsed: time.Second}, {Requests: 10, Elapsed: time.Second}, {Requests: 60, Elapsed: time.Second}}
	slow := series{{Requests: 50, Elapsed: time.Second}, {Requests: 5, Elapsed: time.Second}, {Requests: 15, Elapsed: time.Second}}
	if got := ratios(fast, slow, Sample.rate); got != (figure{2, 2, 4}) {
		t.Errorf("%+v", got)
	}
	lines := []line{{name: "fast", over: []reference{{"slow", "slow"}, {"left out", "that"}}}, {name: "slow"}}
	if got := ratiosOf(lines, []series{fast, slow}, 0); len(got) != 1 || got[0] != "2.00 (2.00–4.00) × slow" {
		t.Errorf("%q", got)
	}
}

func TestASampleTellsWhatItDoesNotKnow(t *testing.T) {
	s := series{{Requests: 1000, Elapsed: time.Second, Service: 300 * time.Millisecond, Postgres: unknown, Failed: 2,
		Latencies: []time.Duration{time.Millisecond, 2 * time.Millisecond, 30 * time.Millisecond}}}
	want := []string{"1000 (1000–1000), 2 failed", "2.0", "30.0", "300", "–"}
	if got := s.columns(); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q, want %q", got, want)
	}
}
