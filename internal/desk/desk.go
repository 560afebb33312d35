// Package desk is the shell around the pure slot machine of package seating: the
// only way to change seats in the database.
//
// Requests, jobs and tickers submit commands. The desk gathers them and runs what
// has gathered as one transaction of three round trips: lock the slots and look;
// lock the users and load; let the commands decide, write and commit. So a rush
// on one slot costs few transactions, and a single command waits for nobody. The
// alternative, a transaction for each command that locks its slot, was 10 to 17
// times slower on a hot slot, and one stored function for each command 6 to 8
// times (two cores, 64 clients, fsync on).
//
// Start reading at desk.go (submitting), then inbox.go (the bounded queue before
// a worker), batch.go (one transaction), load.go and write.go.
package desk

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
	"eventbooking/internal/seating"
)

// Desk is where commands are submitted.
type Desk struct {
	pool *pgxpool.Pool
	jobs *river.Client[pgx.Tx]
	log  *slog.Logger
	// inboxes are those of the main workers. contended is for the commands of slots
	// that somebody else has locked: waiting for them must not stop the others.
	inboxes   []*inbox
	contended *inbox

	closing atomic.Bool
	workers sync.WaitGroup
}

// Bounds of the desk.
const (
	// mainWorkers share the slots among them. Eight were slower than two: tried.
	mainWorkers = 2
	// contendedWorkers wait for slots that somebody else has locked.
	contendedWorkers = 4
	// Connections is how many database connections the desk uses at once.
	Connections = mainWorkers + contendedWorkers
	// batchSize is how many commands share a transaction.
	batchSize = 256
	// inboxSize is how many commands may wait for one worker; a slot may fill half of it.
	inboxSize = 4096
	// batchDeadline bounds a batch with its fallbacks and retries, below any request's.
	batchDeadline = 6 * time.Second
)

// Submission is a command, with what belongs to the request behind it.
type Submission struct {
	Command seating.Command
	// Key makes a repeated request have one effect; nil if none was sent.
	Key *idempotency.Key
	// Render makes the answer of the result. It is pure: it runs inside the
	// transaction that stores the answer with the key.
	Render func(seating.Result) (idempotency.Response, error)
	// Internal commands (promotions, expiries) go first and are not refused for load.
	Internal bool
}

// Outcome is what became of a submission.
type Outcome struct {
	Result seating.Result
	// Response is what Render made, now or when the key was first used.
	Response idempotency.Response
}

// New opens a desk on a pool of its own, with at least Connections connections.
// jobs is used to insert jobs only.
func New(pool *pgxpool.Pool, jobs *river.Client[pgx.Tx], log *slog.Logger) *Desk {
	d := &Desk{pool: pool, jobs: jobs, log: log, contended: newInbox()}
	for range mainWorkers {
		in := newInbox()
		d.inboxes = append(d.inboxes, in)
		d.startWorker(in, anySlots, skipLocked)
	}
	for range contendedWorkers {
		d.startWorker(d.contended, sameSlots, waitForLocks)
	}
	return d
}

// Do submits a command and waits for its outcome. Until a worker takes it, a ctx
// that ends withdraws it; from then on it runs to its end, whoever waits.
//
// Refusals are *fault.Error. Overloaded, ShuttingDown, Contention and
// DatabaseUnavailable mean that nothing was changed; OutcomeUnknown that the
// connection was lost during COMMIT.
func (d *Desk) Do(ctx context.Context, s Submission) (Outcome, error) {
	p := newPending(s)
	if err := d.submit(p); err != nil {
		return Outcome{}, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		if p.withdraw() {
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return Outcome{}, errOverloaded()
			}
			return Outcome{}, ctx.Err()
		}
		<-p.done
	}
	return p.outcome, p.err
}

// submit puts a command into the inbox of its lowest slot: those of one slot then
// mostly share a batch. Nothing relies on it.
func (d *Desk) submit(p *pending) error {
	if d.closing.Load() {
		return fault.ShuttingDown.New("This process is stopping.").After(time.Second)
	}
	first := p.slots[0]
	if d.contended.has(first) && d.contended.put(p) {
		return nil
	}
	if !d.inboxes[int(first[15])%len(d.inboxes)].put(p) {
		return errOverloaded()
	}
	return nil
}

func errOverloaded() error {
	return fault.Overloaded.New("Too many bookings are waiting to be processed.").After(time.Second)
}

// startWorker takes what has gathered in an inbox and runs it, until the inbox is
// closed and empty.
func (d *Desk) startWorker(in *inbox, fits fits, locks locking) {
	d.workers.Go(func() {
		for batch := in.take(fits); batch != nil; batch = in.take(fits) {
			d.run(batch, locks)
			in.release(batch)
		}
	})
}

// Close stops taking commands, finishes those that wait, and ends the workers.
func (d *Desk) Close() {
	d.closing.Store(true)
	for _, in := range d.inboxes {
		in.close()
		in.wait() // It may still pass commands on to contended.
	}
	d.contended.close()
	d.workers.Wait()
}

// pending is a submission on its way through the desk.
type pending struct {
	Submission
	needs   seating.Needs
	slots   []uuid.UUID // sorted
	state   atomic.Int32
	done    chan struct{}
	outcome Outcome
	err     error
}

// The states of a pending submission.
const (
	queued int32 = iota
	taken
	withdrawn
)

func newPending(s Submission) *pending {
	n := s.Command.Needs()
	return &pending{Submission: s, needs: n, slots: seating.SortedIDs(n.Slots), done: make(chan struct{})}
}

// take and withdraw race for a queued submission; exactly one of them wins.
func (p *pending) take() bool        { return p.state.CompareAndSwap(queued, taken) }
func (p *pending) withdraw() bool    { return p.state.CompareAndSwap(queued, withdrawn) }
func (p *pending) isWithdrawn() bool { return p.state.Load() == withdrawn }

// requeue gives a taken submission back, to be taken again.
func (p *pending) requeue() { p.state.Store(queued) }

// isAlone says whether it shares its batch with nobody.
func (p *pending) isAlone() bool { return p.needs.NewTimes != nil }

// finish tells the one who waits.
func (p *pending) finish(o Outcome, err error) {
	p.outcome, p.err = o, err
	close(p.done)
}
