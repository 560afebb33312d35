//go:build unix

package bench

import (
	"context"
	"fmt"

	"github.com/valyala/fasthttp"

	"eventbooking/internal/bench/table"
)

// compare measures this build and another one in turn, on databases of their own in one
// server, and writes the ratios of both: what is said about the cost of a change.
func (b *bench) compare(ctx context.Context) error {
	other, err := b.target(ctx, "other", b.Compare)
	if err != nil {
		return fmt.Errorf("%s: %w", b.Compare, err)
	}
	names, ours, theirs := []string{}, b.comparable(b.service), b.comparable(other)
	var lines []line
	for i := range ours {
		names = append(names, ours[i].name)
		lines = append(lines, ours[i], theirs[i])
	}
	b.done, b.planned = 0, b.Rounds*len(lines)
	results, err := b.rounds(ctx, "compare", lines)
	if err != nil {
		return err
	}
	var rows [][]string
	for i, name := range names {
		rows = append(rows, comparison(name, results[2*i], results[2*i+1]))
	}
	_, err = fmt.Fprintf(b.out, "\nThis build ÷ %s\n%s", b.Compare,
		table.Markdown([]string{"", "rate (range)", "service CPU a request (range)", "PostgreSQL CPU a request (range)", "differs in"}, rows))
	return err
}

// comparable are the lines that both builds are measured with.
func (b *bench) comparable(t *target) []line {
	var lines []line
	add := func(part string, l ...line) {
		if b.has(part) {
			lines = append(lines, l...)
		}
	}
	for _, n := range connections {
		add("hot", line{name: hotLine(n), measure: t.hotMeasure(load{connections: n})})
	}
	for _, n := range connections {
		add("spread", line{name: spreadLine(n), measure: t.spreadMeasure(load{connections: n})})
	}
	for _, r := range readings {
		by := r.by(t, readers)
		add("reads", line{name: r.name, measure: t.readMeasure(func(q *fasthttp.Request) { by(q) })})
	}
	add("day", line{name: "a user's day", measure: t.dayMeasure(dayConnections)})
	return lines
}

// comparison is a row of the table: the ratios, and which of them are not 1.
func comparison(name string, ours, theirs series) []string {
	row, differs := []string{name}, ""
	for _, f := range []struct {
		name string
		of   func(Sample) float64
	}{{"rate", Sample.rate}, {"service", Sample.service}, {"PostgreSQL", Sample.postgres}} {
		ratio := ratios(ours, theirs, f.of)
		row = append(row, ratio.String())
		if ratio.differs() {
			differs += ", " + f.name
		}
	}
	if differs == "" {
		return append(row, "nothing")
	}
	return append(row, differs[len(", "):])
}
