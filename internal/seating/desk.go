package seating

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
)

// Desk is where commands are handed in. It runs what has gathered as one
// transaction, so that a rush costs few of them, and a command in a quiet house
// waits for nobody.
type Desk struct {
	pool  *pgxpool.Pool
	jobs  *river.Client[pgx.Tx]
	log   *slog.Logger
	lanes []*lane
	// aside takes the commands of slots that somebody else has locked.
	aside *lane

	closing atomic.Bool
	workers sync.WaitGroup
}

// Bounds of the desk.
const (
	// mainWorkers share the slots out among them. Two were faster than eight: tried.
	mainWorkers = 2
	// asideWorkers wait for slots that somebody else has locked.
	asideWorkers = 4
	// Connections is how many the desk uses at once.
	Connections = mainWorkers + asideWorkers
	// batchSize is how many commands share a transaction.
	batchSize = 256
	// queueSize is how many commands may wait for one worker; a slot may fill half of it.
	queueSize = 4096
	// batchDeadline bounds a batch with its fallbacks and retries, below any request's.
	batchDeadline = 6 * time.Second
)

// Order is one command, with what belongs to the request behind it.
type Order struct {
	Command Command
	// Key makes a repeated request have one effect; nil if none was sent.
	Key *idempotency.Key
	// Render makes the answer of the result. It is pure: it runs inside the
	// transaction that stores the answer with the key.
	Render func(Result) (idempotency.Response, error)
	// Internal orders (promotions, expiries) go first and are not refused for load.
	Internal bool
}

// Outcome is what became of an order.
type Outcome struct {
	Result Result
	// Response is what Render made, now or when the key came first.
	Response idempotency.Response
}

// NewDesk opens a desk on a pool of its own, with at least Connections
// connections. Jobs is used to insert jobs only.
func NewDesk(pool *pgxpool.Pool, jobs *river.Client[pgx.Tx], log *slog.Logger) *Desk {
	d := &Desk{pool: pool, jobs: jobs, log: log, aside: newLane()}
	for range mainWorkers {
		l := newLane()
		d.lanes = append(d.lanes, l)
		d.start(l, anySlots, skipLocked)
	}
	for range asideWorkers {
		d.start(d.aside, sameSlots, waitForLocks)
	}
	return d
}

// Do hands an order in and waits for its outcome. Until the order is taken, a
// ctx that ends withdraws it; from then on it runs to its end, whoever waits.
//
// Refusals come back as faults. Overloaded, ShuttingDown, Contention and
// DatabaseUnavailable mean that nothing was changed; OutcomeUnknown that the
// connection was lost during COMMIT.
func (d *Desk) Do(ctx context.Context, o Order) (Outcome, error) {
	t := newTicket(o)
	if err := d.hand(t); err != nil {
		return Outcome{}, err
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		if t.withdraw() {
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return Outcome{}, overloaded()
			}
			return Outcome{}, ctx.Err()
		}
		<-t.done
	}
	return t.outcome, t.err
}

// hand puts a ticket into the lane of its lowest slot: those of one slot then
// mostly share a batch. Nothing relies on it.
func (d *Desk) hand(t *ticket) error {
	if d.closing.Load() {
		return fault.ShuttingDown.New("This process is stopping.").After(time.Second)
	}
	home := t.slots[0]
	if d.aside.holds(home) && d.aside.put(t) {
		return nil
	}
	if !d.lanes[int(home[15])%len(d.lanes)].put(t) {
		return overloaded()
	}
	return nil
}

func overloaded() error {
	return fault.Overloaded.New("More bookings wait than can be served in time.").After(time.Second)
}

// start runs a worker: it takes what has gathered and runs it, until the lane is
// closed and empty.
func (d *Desk) start(l *lane, fit fits, locks locking) {
	d.workers.Go(func() {
		for batch := l.take(fit); batch != nil; batch = l.take(fit) {
			d.run(batch, locks)
			l.release(batch)
		}
	})
}

// Close stops taking orders, finishes those that wait, and ends the workers.
func (d *Desk) Close() {
	d.closing.Store(true)
	for _, l := range d.lanes {
		l.close()
		l.wait() // It may still set commands aside.
	}
	d.aside.close()
	d.workers.Wait()
}

// ticket is an order on its way through the desk.
type ticket struct {
	Order
	needs   needs
	slots   []uuid.UUID // sorted
	state   atomic.Int32
	done    chan struct{}
	outcome Outcome
	err     error
}

const (
	isQueued int32 = iota
	isTaken
	isWithdrawn
)

func newTicket(o Order) *ticket {
	n := o.Command.needs()
	return &ticket{Order: o, needs: n, slots: sorted(n.slots), done: make(chan struct{})}
}

// take and withdraw race for a queued ticket; exactly one of them wins.
func (t *ticket) take() bool      { return t.state.CompareAndSwap(isQueued, isTaken) }
func (t *ticket) withdraw() bool  { return t.state.CompareAndSwap(isQueued, isWithdrawn) }
func (t *ticket) withdrawn() bool { return t.state.Load() == isWithdrawn }

// requeue gives a taken ticket back, to be taken again.
func (t *ticket) requeue() { t.state.Store(isQueued) }

// alone says that the ticket shares its batch with nobody.
func (t *ticket) alone() bool { return t.needs.retimes != nil }

// finish tells the one who waits.
func (t *ticket) finish(o Outcome, err error) {
	t.outcome, t.err = o, err
	close(t.done)
}
