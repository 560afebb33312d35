package waitlist

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"eventbooking/gen/db"
	"eventbooking/internal/desk"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Ticker finds slots in which something is due, or in which a lost job left something
// undone, and submits commands for them. Every process may run one: a command that
// finds nothing to do changes nothing.
type Ticker struct {
	pool     *pgxpool.Pool
	desk     *desk.Desk
	log      *slog.Logger
	interval time.Duration
	tasks    []*task
}

const (
	// maxInterval is the longest time between two ticks.
	maxInterval = 500 * time.Millisecond
	// backstopInterval is the time between two polls for what a lost job left undone.
	backstopInterval = 10 * time.Second
	// pollPage is how many slots one poll finds at most.
	pollPage = 5000
	// maxPolls is how often one run of a task polls, while more is due.
	maxPolls = 40
	// submitAtOnce is how many commands are submitted at the same time.
	submitAtOnce = 512
	// taskTimeout bounds a run of a task, in case the database hangs.
	taskTimeout = 30 * time.Second
)

// task is something that the ticker polls for.
type task struct {
	name  string
	every time.Duration
	// poll does a page of what is due, and says whether more may be due.
	poll func(context.Context) (more bool, err error)

	last    time.Time
	failing bool
}

// NewTicker returns a ticker that ticks at every interval; 0, or more than half a
// second, means half a second.
func NewTicker(pool *pgxpool.Pool, d *desk.Desk, log *slog.Logger, interval time.Duration) *Ticker {
	if interval <= 0 || interval > maxInterval {
		interval = maxInterval
	}
	t := &Ticker{pool: pool, desk: d, log: log, interval: interval}
	q := db.New()
	t.tasks = []*task{
		{name: "expire", poll: t.pollSlots(q.SlotsExpiring, expire, 1)},
		{name: "promote", poll: t.pollSlots(q.SlotsPromotionDue, promote, pollPage)},
		{name: "unblock", every: backstopInterval, poll: t.pollSlots(q.SlotsUnblockable, promote, 1)},
		{name: "cancel bookings", every: backstopInterval, poll: t.pollSlots(q.SlotsToCancelBookings, cancelBookings, 1)},
		{name: "delete old idempotency keys", every: backstopInterval, poll: t.deleteOldKeys},
	}
	return t
}

func expire(id uuid.UUID) seating.Command         { return seating.Expire{SlotID: id} }
func promote(id uuid.UUID) seating.Command        { return seating.Promote{SlotID: id} }
func cancelBookings(id uuid.UUID) seating.Command { return seating.CancelAllBookings{SlotID: id} }

// Run ticks until ctx ends, the first time at once.
func (t *Ticker) Run(ctx context.Context) error {
	for {
		t.tick(ctx)
		// Random, so that processes do not tick at the same time.
		pause := time.NewTimer(t.interval - rand.N(t.interval/10+1))
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// tick runs the tasks that are due.
func (t *Ticker) tick(ctx context.Context) {
	for _, k := range t.tasks {
		if now := time.Now(); ctx.Err() == nil && now.Sub(k.last) >= k.every {
			k.last = now
			t.note(ctx, k, t.run(ctx, k))
		}
	}
}

// run polls until nothing is due, maxPolls times at most.
func (t *Ticker) run(ctx context.Context, k *task) error {
	ctx, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	for range maxPolls {
		if more, err := k.poll(ctx); !more || err != nil {
			return err
		}
	}
	return nil
}

// note logs when a task begins to fail and when it works again, not each failure in
// between: a database that is down for a minute makes two lines.
func (t *Ticker) note(ctx context.Context, k *task, err error) {
	failing := err != nil
	switch {
	case ctx.Err() != nil || failing == k.failing:
		return
	case failing:
		t.log.Error("ticker task fails", "task", k.name, "error", err)
	default:
		t.log.Info("ticker task works again", "task", k.name)
	}
	k.failing = failing
}

type finder func(ctx context.Context, c db.DBTX, page int32) ([]uuid.UUID, error)

// pollSlots makes a poll that finds slots and submits a command for each of them,
// many at the same time, so that they share batches. A command that fails does not
// stop the others. More may be due if it found at least the number again of slots, or
// if a command promoted some bookings and not all. A command that has more to do and
// promoted nobody needs to lock further slots; a job does that.
func (t *Ticker) pollSlots(find finder, command func(uuid.UUID) seating.Command, again int) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		due, err := postgres.Read(ctx, t.pool, func(c *pgxpool.Conn) ([]uuid.UUID, error) { return find(ctx, c, pollPage) })
		if err != nil {
			return false, fmt.Errorf("find what is due: %w", err)
		}
		var unfinished atomic.Bool
		var group errgroup.Group
		group.SetLimit(submitAtOnce)
		for _, id := range due {
			group.Go(func() error {
				result, err := submit(ctx, t.desk, command(id))
				if err != nil {
					return fmt.Errorf("slot %s: %w", id, err)
				}
				if result.More && len(result.Promoted) > 0 {
					unfinished.Store(true)
				}
				return nil
			})
		}
		err = group.Wait()
		return len(due) >= again || unfinished.Load(), err
	}
}

// deleteOldKeys is a poll that deletes old idempotency keys.
func (t *Ticker) deleteOldKeys(ctx context.Context) (bool, error) {
	n, err := idempotency.Sweep(ctx, t.pool)
	return n > 0, err
}
