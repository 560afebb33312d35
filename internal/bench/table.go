package bench

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
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

// render is a table in Markdown that can also be read on a terminal: the first and the
// last column are aligned to the left, the others to the right.
func render(heads []string, rows [][]string) string {
	widths := make([]int, len(heads))
	for _, row := range append([][]string{heads}, rows...) {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	var text strings.Builder
	write := func(row []string) {
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 || i == len(row)-1 {
				text.WriteString("| " + cell + space + " ")
			} else {
				text.WriteString("| " + space + cell + " ")
			}
		}
		text.WriteString("|\n")
	}
	write(heads)
	for i, width := range widths {
		rule := strings.Repeat("-", width)
		if i == 0 || i == len(widths)-1 {
			text.WriteString("|-" + rule + "-")
		} else {
			text.WriteString("|-" + rule + ":")
		}
	}
	text.WriteString("|\n")
	for _, row := range rows {
		write(row)
	}
	return text.String()
}
