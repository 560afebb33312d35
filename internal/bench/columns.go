package bench

import (
	"fmt"
	"math"
)

// sampleHeads are the heads of a table of samples, with one of the caller's at the end.
func sampleHeads(last string) []string {
	return []string{"", "requests/s (range)", "p50 ms", "p99 ms", "service µs", "PostgreSQL µs", last}
}

// columns are the columns of a line below sampleHeads.
func (s series) columns() []string {
	failed := 0
	for _, sample := range s {
		failed += sample.Failed
	}
	rate := figureOf(s.of(Sample.rate))
	text := fmt.Sprintf("%s (%s–%s)", whole(rate.median), whole(rate.low), whole(rate.high))
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	return []string{text,
		decimal(figureOf(s.of(func(s Sample) float64 { return s.latency(0.5) })).median),
		decimal(figureOf(s.of(func(s Sample) float64 { return s.latency(0.99) })).median),
		whole(figureOf(s.of(Sample.service)).median),
		whole(figureOf(s.of(Sample.postgres)).median)}
}

func whole(f float64) string {
	if math.IsNaN(f) {
		return "–"
	}
	return fmt.Sprintf("%.0f", f)
}

func decimal(f float64) string {
	if math.IsNaN(f) {
		return "–"
	}
	return fmt.Sprintf("%.1f", f)
}
