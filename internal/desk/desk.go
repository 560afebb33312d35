// Package desk applies the commands of package seating to the database. Nothing
// else changes seats there.
//
// Requests, jobs and the ticker submit commands. The desk gathers them and runs
// what has gathered as one transaction of three round trips: lock the slots and
// read them; lock the users and read what they have; apply the commands, write and
// commit. So a rush on one slot costs few transactions, and a single command does
// not wait for others. A transaction for each command was 10 to 17 times slower on
// a hot slot, and a stored function for each command 6 to 8 times slower (two
// cores, 64 clients, fsync on).
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
	// inboxes are those of the main workers. contended is for commands of slots that
	// another transaction has locked: waiting for them must not delay the others.
	inboxes   []*inbox
	contended *inbox
	failing   *failing
	// quotas bound what users do; none unless LimitUsers sets them.
	quotas seating.Quotas
	// spareHeads is seating.SpareHeads, unless a test has another.
	spareHeads int32

	closing atomic.Bool
	workers sync.WaitGroup
}

// LimitUsers sets the quotas of users. It comes before the first submission.
func (d *Desk) LimitUsers(q seating.Quotas) { d.quotas = q }

// Limits of the desk.
const (
	// mainWorkers share the slots among them. Eight were slower than two.
	mainWorkers = 2
	// contendedWorkers wait for slots that another transaction has locked.
	contendedWorkers = 4
	// Connections is how many database connections the desk uses at once.
	Connections = mainWorkers + contendedWorkers
	// batchSize is how many commands share a transaction.
	batchSize = 256
	// inboxSize is how many commands of callers may wait in an inbox, and as many internal
	// ones; one slot may fill half of it.
	inboxSize = 4096
	// batchDeadline bounds a batch with its splits and retries. It is below the
	// timeout of requests.
	batchDeadline = 6 * time.Second
)

// Submission is a command, with what belongs to the request behind it.
type Submission struct {
	Command seating.Command
	// Key makes repeated requests have one effect; nil if none was sent.
	Key *idempotency.Key
	// Render makes the response from the result. It must be pure: it runs inside the
	// transaction, which stores the response with the key.
	Render func(seating.Result) (idempotency.Response, error)
	// Internal commands (of jobs and the ticker) go first and take no place in the inbox
	// from callers. One that fails each time rests in between, see ErrFailing.
	Internal bool
}

// Outcome is what a submission did.
type Outcome struct {
	Result seating.Result
	// Response is what Render made now, or when the key was first used.
	Response idempotency.Response
}

// New starts a desk. The pool must be its own, with at least Connections
// connections; jobs is only used to insert jobs. Close stops it.
func New(pool *pgxpool.Pool, jobs *river.Client[pgx.Tx], log *slog.Logger) *Desk {
	d := &Desk{pool: pool, jobs: jobs, log: log, contended: newInbox(), failing: newFailing(log), spareHeads: seating.SpareHeads}
	for range mainWorkers {
		in := newInbox()
		d.inboxes = append(d.inboxes, in)
		d.startWorker(in, anySlots, skipLocked)
	}
	for range contendedWorkers {
		d.startWorker(d.contended, sameLocks, waitForLocks)
	}
	return d
}

// Do submits a command and waits for its outcome. If ctx ends before a worker has
// taken the command, it never runs; after that it runs to its end in any case.
//
// Refusals are those of the command. fault.Overloaded, fault.ShuttingDown,
// fault.Contention and fault.DatabaseUnavailable mean that nothing was changed,
// fault.OutcomeUnknown that COMMIT was not answered. ErrFailing is for internal ones.
func (d *Desk) Do(ctx context.Context, s Submission) (Outcome, error) {
	p := newPending(s)
	if p.Internal && d.failing.rests(subjectOf(p), time.Now()) {
		return Outcome{}, ErrFailing
	}
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

// submit puts a command into the inbox of its lowest slot, so that most commands of
// a slot share a batch. Nothing depends on that.
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
	return fault.Overloaded.New("Too many requests are waiting to be processed.").After(time.Second)
}

// startWorker starts a goroutine that runs what has gathered in an inbox, again and
// again, until the inbox is closed and empty.
func (d *Desk) startWorker(in *inbox, fits fits, locks locking) {
	d.workers.Go(func() {
		for batch := in.take(fits); batch != nil; batch = in.take(fits) {
			d.run(batch, locks)
			in.release(batch)
		}
	})
}

// Close refuses new commands, finishes those that were submitted, and stops the
// workers.
func (d *Desk) Close() {
	d.closing.Store(true)
	for _, in := range d.inboxes {
		in.close()
		in.wait() // Until then its worker may pass commands on to contended.
	}
	d.contended.close()
	d.workers.Wait()
}

// pending is a submission that has no outcome yet.
type pending struct {
	Submission
	needs   seating.Needs
	slots   []uuid.UUID // sorted
	event   uuid.UUID   // that another transaction had locked, if it was that
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

// take and withdraw compete for a queued submission; one of them succeeds.
func (p *pending) take() bool        { return p.state.CompareAndSwap(queued, taken) }
func (p *pending) withdraw() bool    { return p.state.CompareAndSwap(queued, withdrawn) }
func (p *pending) isWithdrawn() bool { return p.state.Load() == withdrawn }

// requeue makes a taken submission queued again.
func (p *pending) requeue() { p.state.Store(queued) }

// needsOwnBatch says whether it must not share its batch.
func (p *pending) needsOwnBatch() bool { return p.needs.NewTimes != nil }

// finish sets the outcome and wakes the caller of Do.
func (p *pending) finish(o Outcome, err error) {
	p.outcome, p.err = o, err
	close(p.done)
}
