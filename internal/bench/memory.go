//go:build unix

package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"eventbooking/internal/bench/table"
)

// starts is how often the start is measured.
const starts = 5

// crowds are the numbers of connections under which memory is looked at, the fewest
// first, in one process.
var crowds = []int{64, 512, 2000}

// memory measures how long a start takes on a migrated database, and the resident memory
// of the process: idle, and at the end of a user's day over some numbers of connections.
func (b *bench) memory(ctx context.Context) error {
	t := b.service
	var times []float64
	for range starts {
		if err := t.service.Stop(); err != nil {
			return err
		}
		began := time.Now()
		if err := t.service.Start(ctx); err != nil {
			return err
		}
		times = append(times, time.Since(began).Seconds()*1000)
	}
	t.cpu.service = t.service.PID()
	start := figureOf(times)
	rows := [][]string{{"start to ready", fmt.Sprintf("%.0f ms (%.0f–%.0f)", start.median, start.low, start.high)}}
	resident, err := memoryOf(t.service.PID())
	if err != nil {
		return err
	}
	rows = append(rows, []string{"memory, idle", mebibytes(resident)})
	for i, connections := range crowds {
		if resident, err = t.memoryUnder(ctx, connections, b.Window); err != nil {
			return err
		}
		rows = append(rows, []string{fmt.Sprintf("memory, a user's day over %d connections", connections), mebibytes(resident)})
		b.lab.Progress("memory", i+1, len(crowds))
	}
	_, err = fmt.Fprintf(b.out, "\nThe process\n%s", table.Markdown([]string{"", "figure (range)"}, rows))
	return err
}

// memoryUnder is the resident memory just before a user's day ends.
func (t *target) memoryUnder(ctx context.Context, connections int, window time.Duration) (float64, error) {
	var tasks errgroup.Group
	tasks.Go(func() error {
		_, err := t.dayMeasure(connections)(ctx, window)
		return err
	})
	time.Sleep(warmUp + window*9/10)
	resident, err := memoryOf(t.service.PID())
	return resident, errors.Join(err, tasks.Wait())
}

func mebibytes(n float64) string {
	if math.IsNaN(n) {
		return "–"
	}
	return fmt.Sprintf("%.0f MiB", n)
}
