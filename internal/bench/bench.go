//go:build unix

// Package bench is the yardstick: it puts load on whole processes of the service from a
// process of its own, and says how fast the service is in ratios to what PostgreSQL and
// the middleware can do at best on the same machine. What is compared is measured in
// turn, round after round, since the speed of a machine changes from minute to minute.
package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"eventbooking/internal/bench/table"
	"eventbooking/internal/proof/lab"
)

// Options are the settings of a run.
type Options struct {
	// Rounds is how often each line is measured, Window how long each time.
	Rounds int
	Window time.Duration
	// Only are the parts to run; empty means all.
	Only []string
	// Compare is the binary of another build of the service. With it, the lines are
	// measured with both builds in turn, and nothing else is.
	Compare string
}

// parts are those of a run, in their order.
var parts = []struct {
	name string
	run  func(*bench, context.Context) error
}{{"hot", (*bench).hot}, {"spread", (*bench).spread}, {"reads", (*bench).reads}, {"day", (*bench).day}, {"memory", (*bench).memory}, {"bystander", (*bench).bystander}}

// Parts are the names of the parts of a run, in their order.
func Parts() []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

func (o Options) has(part string) bool { return len(o.Only) == 0 || slices.Contains(o.Only, part) }

// warmUp is how long a load runs before each measurement.
const warmUp = 300 * time.Millisecond

// connections are the numbers of connections that bookings are made over.
var connections = []int{64, 512}

// dayConnections is the number of connections of a user's day, and of reads.
const dayConnections = 64

// Run measures, and writes the tables to out. Progress goes to the lab's.
func Run(ctx context.Context, l *lab.Lab, o Options, out io.Writer) error {
	b := &bench{lab: l, Options: o, out: out}
	if err := b.start(ctx); err != nil {
		return err
	}
	if o.Compare != "" {
		return b.compare(ctx)
	}
	for _, part := range parts {
		if !o.has(part.name) {
			continue
		}
		if err := part.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// bench is a run: PostgreSQL, and the builds of the service to put load on.
type bench struct {
	Options
	lab     *lab.Lab
	cluster *lab.Cluster
	// service is the build of this working tree.
	service *target
	// reference is nil until it is needed.
	reference *pgbench
	out       io.Writer
	// done counts the measurements of the present table.
	done, planned int
}

// clusterSettings leave durability on, as the service's users have it.
var clusterSettings = map[string]string{"max_connections": "700", "shared_buffers": "512MB"}

func (b *bench) start(ctx context.Context) (err error) {
	if b.cluster, err = b.lab.Cluster(ctx, "bench-pg", clusterSettings); err != nil {
		return err
	}
	binary, err := b.lab.Binary()
	if err != nil {
		return err
	}
	b.service, err = b.target(ctx, "service", binary)
	return err
}

// table measures lines in turn and writes them.
func (b *bench) table(ctx context.Context, title string, lines []line) error {
	b.done, b.planned = 0, b.Rounds*len(lines)
	results, err := b.rounds(ctx, title, lines)
	if err != nil {
		return err
	}
	rows := make([][]string, len(lines))
	for i, l := range lines {
		rows[i] = append([]string{l.name}, results[i].columns()...)
		rows[i] = append(rows[i], strings.Join(ratiosOf(lines, results, i), "; "))
	}
	_, err = fmt.Fprintf(b.out, "\n%s\n%s", title, table.Markdown(sampleHeads("ratio of the rates (range)"), rows))
	return err
}
