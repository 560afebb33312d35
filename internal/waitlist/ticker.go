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
	"eventbooking/internal/idempotency"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Ticker is the clock of the seats: it finds what is due by time, and what a lost
// job left undone, and hands it to the desk. Every process may run one; commands
// that find nothing to do do nothing.
type Ticker struct {
	pool     *pgxpool.Pool
	desk     *seating.Desk
	log      *slog.Logger
	interval time.Duration
	rounds   []*round
}

const (
	// maxInterval is how late something may be noticed.
	maxInterval = 500 * time.Millisecond
	// seldom is how often the backstops look that only lost jobs need.
	seldom = 10 * time.Second
	// pollPage is how many slots one look finds at most.
	pollPage = 5000
	// maxLooks bounds how often a round looks again at once, where much is due.
	maxLooks = 40
	// atOnce is how many commands of a page are at the desk at the same time.
	atOnce = 512
	// roundLimit bounds a round against a database that hangs.
	roundLimit = 30 * time.Second
)

// round is one thing that is looked after.
type round struct {
	name  string
	every time.Duration
	// look does a page of what is due, and says whether there may be more.
	look func(context.Context) (more bool, err error)

	last    time.Time
	failing bool
}

// NewTicker makes a ticker that looks at every interval, at most half a second.
func NewTicker(pool *pgxpool.Pool, desk *seating.Desk, log *slog.Logger, interval time.Duration) *Ticker {
	if interval <= 0 || interval > maxInterval {
		interval = maxInterval
	}
	t := &Ticker{pool: pool, desk: desk, log: log, interval: interval}
	q := db.New()
	t.rounds = []*round{
		{name: "expire", look: t.slots(q.SlotsExpiring, expire, 1)},
		{name: "promote", look: t.slots(q.SlotsPromotionDue, promote, pollPage)},
		{name: "unblock", every: seldom, look: t.slots(q.SlotsUnblockable, promote, 1)},
		{name: "clear", every: seldom, look: t.slots(q.SlotsToClear, clearSlot, 1)},
		{name: "forget idempotency keys", every: seldom, look: t.forget},
	}
	return t
}

func expire(id uuid.UUID) seating.Command    { return seating.Expire{SlotID: id} }
func promote(id uuid.UUID) seating.Command   { return seating.Promote{SlotID: id} }
func clearSlot(id uuid.UUID) seating.Command { return seating.Clear{SlotID: id} }

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

// tick does the rounds whose time has come.
func (t *Ticker) tick(ctx context.Context) {
	for _, r := range t.rounds {
		if now := time.Now(); ctx.Err() == nil && now.Sub(r.last) >= r.every {
			r.last = now
			t.note(ctx, r, t.do(ctx, r))
		}
	}
}

// do looks until nothing more is due, within bounds.
func (t *Ticker) do(ctx context.Context, r *round) error {
	ctx, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	for range maxLooks {
		if more, err := r.look(ctx); !more || err != nil {
			return err
		}
	}
	return nil
}

// note logs that a round begins to fail or works again, not each failure in
// between: a database that is down for a minute is two lines.
func (t *Ticker) note(ctx context.Context, r *round, err error) {
	failing := err != nil
	switch {
	case ctx.Err() != nil || failing == r.failing:
		return
	case failing:
		t.log.Error("the ticker fails", "round", r.name, "error", err)
	default:
		t.log.Info("the ticker works again", "round", r.name)
	}
	r.failing = failing
}

type finder func(ctx context.Context, c db.DBTX, page int32) ([]uuid.UUID, error)

// slots is a look that finds slots and hands in a command for each of them, many
// at once, so that they share batches. One that fails does not stop the others.
// Having found as many as again, it asks to look again; and also where a command
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
		group.SetLimit(atOnce)
		for _, id := range due {
			group.Go(func() error {
				result, err := do(ctx, t.desk, command(id))
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

// forget is a look that deletes old idempotency keys.
func (t *Ticker) forget(ctx context.Context) (bool, error) {
	n, err := idempotency.Sweep(ctx, t.pool)
	return n > 0, err
}
