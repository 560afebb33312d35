//go:build unix

package bench

import (
	"context"
	"fmt"
	"time"
)

// The lines of bookings; others are divided by those of pgbench.
const (
	usualLine  = "pgbench, the usual transaction"
	commitLine = "pgbench, one row a transaction"
)

func hotLine(connections int) string { return fmt.Sprintf("hot slot, %d connections", connections) }

func spreadLine(connections int) string {
	return fmt.Sprintf("2,000 slots, %d connections", connections)
}

// hot measures bookings of one slot, against the usual transaction on one slot and
// against commits.
func (b *bench) hot(ctx context.Context) error {
	return b.bookings(ctx, "Bookings of one slot", hotLine, b.service.hotMeasure, hotScript)
}

// spread measures bookings of 2,000 slots, against the same of 2,000 slots.
func (b *bench) spread(ctx context.Context) error {
	return b.bookings(ctx, "Bookings spread over 2,000 slots", spreadLine, b.service.spreadMeasure, spreadScript)
}

// measure is how a line is measured.
type measure = func(ctx context.Context, window time.Duration) (Sample, error)

func (b *bench) bookings(ctx context.Context, title string, name func(connections int) string, of func(load) measure, usual script) error {
	p, err := b.pgbench(ctx)
	if err != nil {
		return err
	}
	var lines []line
	for _, n := range connections {
		lines = append(lines, line{name: name(n), measure: of(load{connections: n}), over: []reference{
			{usualLine, "usual transaction"}, {commitLine, "commits"}}})
	}
	if p != nil {
		lines = append(lines, line{name: usualLine, measure: p.measure(usual)}, line{name: commitLine, measure: p.measure(commitScript)})
	}
	return b.table(ctx, title, lines)
}

// hotMeasure measures bookings of a slot that is made for it.
func (t *target) hotMeasure(l load) measure {
	return func(ctx context.Context, window time.Duration) (Sample, error) {
		slot, err := t.hotSlot(ctx)
		if err != nil {
			return Sample{}, err
		}
		l.user = everyConnection(t.hotUser(slot.ID))
		return t.run(l, window)
	}
}

// spreadMeasure measures bookings of all slots in turn.
func (t *target) spreadMeasure(l load) measure {
	l.user = everyConnection(t.spreadUser())
	return func(_ context.Context, window time.Duration) (Sample, error) { return t.run(l, window) }
}
