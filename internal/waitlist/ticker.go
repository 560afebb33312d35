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

// Ticker finds what is due by time, and what a lost job left undone, and submits it
// to the desk. Every process may run one; commands
// that find nothing to do do nothing.
type Ticker struct {
	pool     *pgxpool.Pool
	desk     *desk.Desk
	log      *slog.Logger
	interval time.Duration
	tasks    []*task
}

const (
	// maxInterval is how late something may be noticed.
	maxInterval = 500 * time.Millisecond
	// backstopInterval is how often it looks for what only a lost job leaves undone.
	backstopInterval = 10 * time.Second
	// pollPage is how many slots one poll finds at most.
	pollPage = 5000
	// maxPolls bounds how often a task polls again at once, where much is due.
	maxPolls = 40
	// submitAtOnce is how many commands of a page are at the desk at the same time.
	submitAtOnce = 512
	// taskTimeout bounds a run of a task against a database that hangs.
	taskTimeout = 30 * time.Second
)

// task is one thing that the ticker looks for.
type task struct {
	name  string
	every time.Duration
	// poll does a page of what is due, and says whether there may be more.
	poll func(context.Context) (more bool, err error)

	last    time.Time
	failing bool
}

// NewTicker makes a ticker that polls at every interval, half a second at most.
func NewTicker(pool *pgxpool.Pool, d *desk.Desk, log *slog.Logger, interval time.Duration) *Ticker {
	if interval <= 0 || interval > maxInterval {
		interval = maxInterval
	}
	t := &Ticker{pool: pool, desk: d, log: log, interval: interval}
	q := db.New()
	t.tasks = []*task{
		{name: "expire", poll: t.slots(q.SlotsExpiring, expire, 1)},
		{name: "promote", poll: t.slots(q.SlotsPromotionDue, promote, pollPage)},
		{name: "unblock", every: backstopInterval, poll: t.slots(q.SlotsUnblockable, promote, 1)},
		{name: "cancel bookings", every: backstopInterval, poll: t.slots(q.SlotsToCancelBookings, cancelBookings, 1)},
		{name: "delete old idempotency keys", every: backstopInterval, poll: t.deleteOldKeys},
	}
	return t
}

func expire(id uuid.UUID) seating.Command         { return seating.Expire{SlotID: id} }
func promote(id uuid.UUID) seating.Command        { return seating.Promote{SlotID: id} }
func cancelBookings(id uuid.UUID) seating.Command { return seating.CancelAllBookings{SlotID: id} }

// Run ticks until ctx ends. It starts its first tick at once.
func (t *Ticker) Run(ctx context.Context) error {
	for {
		t.tick(ctx)
		// A little less each time, so that processes do not tick in step.
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

// run polls until nothing more is due, within bounds.
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

// note logs that a task begins to fail or works again, not each failure in
// between: a database that is down for a minute is two lines.
func (t *Ticker) note(ctx context.Context, k *task, err error) {
	failing := err != nil
	switch {
	case ctx.Err() != nil || failing == k.failing:
		return
	case failing:
		t.log.Error("the ticker fails", "task", k.name, "error", err)
	default:
		t.log.Info("the ticker works again", "task", k.name)
	}
	k.failing = failing
}

type finder func(ctx context.Context, c db.DBTX, page int32) ([]uuid.UUID, error)

// slots is a poll that finds slots and submits a command for each of them, many
// at once, so that they share batches. One that fails does not stop the others.
// Having found as many as again, it asks to poll again; and also where a command
// has served a page of a queue and not all of it. One that served nobody needs
// other slots too, and has a job that names them.
func (t *Ticker) slots(find finder, command func(uuid.UUID) seating.Command, again int) func(context.Context) (bool, error) {
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
