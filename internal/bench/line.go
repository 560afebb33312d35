//go:build unix

package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// line is something that is measured once in every round.
type line struct {
	name    string
	measure func(ctx context.Context, window time.Duration) (Sample, error)
	// over names the lines that its rate is divided by, round by round, with the words for
	// them in the table.
	over []reference
}

type reference struct{ line, as string }

// rounds measures all lines in turn, as often as the options say. Every other round runs
// backwards, so that no line always follows the same one.
func (b *bench) rounds(ctx context.Context, what string, lines []line) ([]series, error) {
	results := make([]series, len(lines))
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	for range b.Rounds {
		for _, i := range order {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			sample, err := lines[i].measure(ctx, b.Window)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", lines[i].name, err)
			}
			results[i] = append(results[i], sample)
			b.done++
			b.lab.Progress(what, b.done, b.planned)
		}
		slices.Reverse(order)
	}
	return results, nil
}

// ratiosOf are the texts of a line's ratios.
func ratiosOf(lines []line, results []series, i int) []string {
	var texts []string
	for _, r := range lines[i].over {
		other := slices.IndexFunc(lines, func(l line) bool { return l.name == r.line })
		if other < 0 {
			continue
		}
		texts = append(texts, ratios(results[i], results[other], Sample.rate).String()+" × "+r.as)
	}
	return texts
}
