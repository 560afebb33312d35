//go:build unix

package size

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"eventbooking/internal/bench/table"
)

// What must not be: reads that grow by more than readGrowth or take longer than readLimit
// milliseconds, and statements of bookings that read more than deskGrowth times as many
// blocks.
const (
	readGrowth = 3.0
	readLimit  = 20.0
	deskGrowth = 1.3
	// noiseMS and noiseBlocks are what is not held against a read, in milliseconds, or a statement, in
	// blocks: an index is deeper where there is more.
	noiseMS     = 1.0
	noiseBlocks = 12.0
)

// writeReads prints what all reads cost, and the plans of those that grew.
func writeReads(out io.Writer, pairs []pair) error {
	rows := make([][]string, len(pairs))
	var grown []pair
	for i, p := range pairs {
		mark := ""
		if p.grew() {
			mark = "grows"
			grown = append(grown, p)
		}
		rows[i] = []string{p.name, p.small.time(), p.large.time(), ratio(p.large.ms, p.small.ms),
			p.small.blocks(), p.large.blocks(), mark}
	}
	heads := []string{"read", "small ms", "large ms", "growth", "small blocks", "large blocks", ""}
	if err := writeTable(out, "Reads", heads, rows); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "\n%d of %d reads grow by more than %g or take more than %g ms.\n", len(grown), len(pairs), readGrowth, readLimit); err != nil {
		return err
	}
	return writePlans(out, grown)
}

func (p pair) grew() bool {
	return p.large.failure != "" || p.large.ms > readLimit ||
		p.large.ms > readGrowth*p.small.ms && p.large.ms > p.small.ms+noiseMS
}

func (t timed) time() string {
	if t.failure != "" {
		return t.failure
	}
	return fmt.Sprintf("%.2f", t.ms)
}

func (t timed) blocks() string { return t.cost.blocks() }

func (c cost) blocks() string {
	if c.calls == 0 {
		return "–"
	}
	return fmt.Sprint(c.buffers)
}

// writePlans prints the plans of the statements that read the most; what took longest
// comes first.
func writePlans(out io.Writer, grown []pair) error {
	slices.SortStableFunc(grown, func(a, b pair) int { return cmp.Compare(b.large.ms, a.large.ms) })
	for _, p := range grown {
		if p.large.cost.calls == 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "\n%s\nlarge: %s\nsmall: %s\n", p.name, p.large.cost.worst, p.small.cost.worst); err != nil {
			return err
		}
	}
	return nil
}

func ratio(large, small float64) string {
	if small == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", large/small)
}

func writeTable(out io.Writer, title string, heads []string, rows [][]string) error {
	_, err := fmt.Fprintf(out, "\n%s\n%s", title, table.Markdown(heads, rows))
	return err
}
