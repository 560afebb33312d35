package waitlist

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
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
	pool  *pgxpool.Pool
	desk  *desk.Desk
	log   *slog.Logger
	page  int32
	tasks []*task
}

// Backstop is a poll for what a lost job has left undone, of a package that knows how to
// do it. It does a page, and says whether more may be left.
type Backstop struct {
	Name string
	Poll func(context.Context) (more bool, err error)
}

const (
	// maxInterval is the longest time between two ticks.
	maxInterval = 500 * time.Millisecond
	// backstopInterval is the time between two polls for what a lost job left undone.
	backstopInterval = 10 * time.Second
	// pollPage is how many slots one poll finds at most.
	pollPage = 5000
	// notePage is how many cancelled slots or events one poll looks at: it also notes which
	// of them are done.
	notePage = 500
	// maxPolls is how often one run of a task polls, while more is due.
	maxPolls = 40
	// submitAtOnce is how many commands are submitted at the same time.
	submitAtOnce = 512
	// taskTimeout bounds a run of a task, in case the database hangs.
	taskTimeout = 30 * time.Second
)

// task is something that the ticker polls for. Tasks run beside each other, so that much
// to do for one delays no other.
type task struct {
	name     string
	interval time.Duration
	// poll does a page of what is due, and says whether more may be due.
	poll func(context.Context) (more bool, err error)

	failing bool
}

// NewTicker returns a ticker that ticks at every interval; 0, or more than half a
// second, means half a second. It also runs the backstops of others.
func NewTicker(pool *pgxpool.Pool, d *desk.Desk, log *slog.Logger, interval time.Duration, others ...Backstop) *Ticker {
	if interval <= 0 || interval > maxInterval {
		interval = maxInterval
	}
	t := &Ticker{pool: pool, desk: d, log: log, page: pollPage}
	q := db.New()
	t.add(interval, "expire", t.pollSlots(worklist(q.SlotsExpiring), expire, untilEmpty))
	t.add(interval, "promote", t.pollSlots(worklist(q.SlotsPromotionDue), promote, onePass))
	// What a lost job has left undone.
	t.add(backstopInterval, "unblock", t.pollSlots(worklist(q.SlotsUnblockable), promote, untilEmpty))
	t.add(backstopInterval, "block who holds up", t.pollSlots(worklist(q.SlotsHeldUp), promote, onePass))
	t.add(backstopInterval, "cancel slots", t.pollSlots(cancelled(q.SlotsToCancel), cancelBookings, untilEmpty))
	t.add(backstopInterval, "cancel bookings", t.pollSlots(cancelled(q.SlotsToCancelBookings), cancelBookings, untilEmpty))
	t.add(backstopInterval, "delete old idempotency keys", t.deleteOldKeys)
	for _, b := range others {
		t.add(backstopInterval, b.Name, b.Poll)
	}
	return t
}

func (t *Ticker) add(interval time.Duration, name string, poll func(context.Context) (bool, error)) {
	t.tasks = append(t.tasks, &task{name: name, interval: interval, poll: poll})
}

func expire(id uuid.UUID) seating.Command         { return seating.Expire{SlotID: id} }
func promote(id uuid.UUID) seating.Command        { return seating.Promote{SlotID: id} }
func cancelBookings(id uuid.UUID) seating.Command { return seating.CancelAllBookings{SlotID: id} }

// Run ticks until ctx ends, the first time at once.
func (t *Ticker) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, k := range t.tasks {
		group.Go(func() { t.repeat(ctx, k) })
	}
	group.Wait()
}

func (t *Ticker) repeat(ctx context.Context, k *task) {
	for {
		t.tick(ctx, k)
		// Random, so that processes do not tick at the same time.
		pause := time.NewTimer(k.interval - rand.N(k.interval/10+1))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// tick runs a task once.
func (t *Ticker) tick(ctx context.Context, k *task) { t.note(ctx, k, t.run(ctx, k)) }

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

// rounds is how often a list is polled in one run.
type rounds int

const (
	// onePass is for a list that a slot may stay on.
	onePass rounds = iota
	// untilEmpty is for a list that each slot leaves when there is no more to do.
	untilEmpty
)

// finder finds a page of slots, without those that rest because their command fails each
// time, and says whether there may be more.
type finder func(ctx context.Context, tx pgx.Tx, resting []uuid.UUID, page int32) (found []uuid.UUID, more bool, err error)

// worklist makes a finder of a query.
func worklist[P ~struct {
	Resting []uuid.UUID
	Page    int32
}](query func(context.Context, db.DBTX, P) ([]uuid.UUID, error)) finder {
	return func(ctx context.Context, tx pgx.Tx, resting []uuid.UUID, page int32) ([]uuid.UUID, bool, error) {
		found, err := query(ctx, tx, P{Resting: resting, Page: page})
		return found, len(found) >= int(page), err
	}
}

// cancelled makes a finder of a query that also notes, and lists, what is done.
func cancelled[R ~struct {
	ID     uuid.UUID
	IsDone bool
}, P ~struct {
	Resting []uuid.UUID
	Page    int32
}](query func(context.Context, db.DBTX, P) ([]R, error)) finder {
	return func(ctx context.Context, tx pgx.Tx, resting []uuid.UUID, page int32) (left []uuid.UUID, more bool, err error) {
		page = min(page, notePage)
		listed, err := query(ctx, tx, P{Resting: resting, Page: page})
		for _, r := range listed {
			if slot := db.SlotsToCancelRow(r); !slot.IsDone {
				left = append(left, slot.ID)
			}
		}
		return left, len(listed) >= int(page), err
	}
}

// pollSlots makes a poll that finds slots and submits a command for each of them,
// many at the same time, so that they share batches. A command that fails does not
// stop the others; one that fails each time rests, and the desk has logged it.
//
// More may be due if the page was full, if a command promoted some bookings and not all,
// and with untilEmpty if it found any. A command that has more to do and promoted nobody
// needs to lock further slots; a job does that.
func (t *Ticker) pollSlots(find finder, command func(uuid.UUID) seating.Command, rounds rounds) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		due, more, err := t.find(ctx, find, t.desk.Resting(command(uuid.Nil)))
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
		return more || len(due) > 0 && rounds == untilEmpty || unfinished.Load(), err
	}
}

// find runs a finder in a transaction, for its timeouts.
func (t *Ticker) find(ctx context.Context, find finder, resting []uuid.UUID) ([]uuid.UUID, bool, error) {
	type page struct {
		found []uuid.UUID
		more  bool
	}
	p, err := postgres.InTxReturning(ctx, t.pool, func(tx pgx.Tx) (page, error) {
		found, more, err := find(ctx, tx, resting, t.page)
		return page{found, more}, err
	})
	return p.found, p.more, err
}

// deleteOldKeys is a poll that deletes old idempotency keys.
func (t *Ticker) deleteOldKeys(ctx context.Context) (bool, error) {
	n, err := idempotency.Sweep(ctx, t.pool)
	return n > 0, err
}
