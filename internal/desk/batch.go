package desk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// locking is what a batch does about slots that another transaction has locked.
type locking int

const (
	// skipLocked leaves their commands to the contended workers.
	skipLocked locking = iota
	// waitForLocks waits for them, at most for the lock timeout.
	waitForLocks
	// readOnly locks nothing and changes nothing.
	readOnly
)

// run runs commands. Each of them gets its outcome or an error.
func (d *Desk) run(commands []*pending, locks locking) {
	ctx, cancel := context.WithTimeout(context.Background(), batchDeadline)
	defer cancel()
	d.attempt(ctx, commands, locks)
}

// attempt runs commands as one transaction. A batch that fails is split in two, in
// the order of arrival, until the command that caused it is alone with its error.
// A single command that lost against another transaction runs again.
func (d *Desk) attempt(ctx context.Context, commands []*pending, locks locking) {
	for try := 0; ; try++ {
		b := &batch{desk: d, commands: commands, locks: locks, pages: pages{spare: d.spareHeads}}
		err := b.transact(ctx)
		if err == nil {
			b.finish()
			return
		}
		if len(commands) > 1 && canSplit(err) {
			half := len(commands) / 2
			d.attempt(ctx, commands[:half], locks)
			d.attempt(ctx, commands[half:], locks)
			return
		}
		again := postgres.Retryable(err) || postgres.Lost(err)
		if try == postgres.Retries || !again || postgres.Backoff(ctx, try) != nil {
			d.fail(commands, err)
			return
		}
	}
}

// canSplit says whether a part of a failed batch might succeed: not without a
// database, and not if the whole batch may have been committed.
func canSplit(err error) bool {
	return !postgres.Unavailable(err) && !errors.Is(err, fault.OutcomeUnknown) && !errors.Is(err, context.DeadlineExceeded)
}

func (d *Desk) fail(commands []*pending, err error) {
	err = postgres.Translate(err)
	// A deadline that passed during COMMIT is a fault already: OutcomeUnknown.
	if fault.Of(err) == nil && errors.Is(err, context.DeadlineExceeded) {
		err = fault.Overloaded.New("The database did not answer in time.").After(retryAfter)
	}
	if len(commands) == 1 && commands[0].Internal && !isAway(err) {
		d.finish(commands[0], Outcome{}, err, true)
		return
	}
	d.log.Error("batch failed", "commands", len(commands), "error", err)
	for _, p := range commands {
		p.finish(Outcome{}, err)
	}
}

// finish tells the caller of a command its outcome, and notes of an internal one whether
// it failed.
func (d *Desk) finish(p *pending, o Outcome, err error, failed bool) {
	switch {
	case !p.Internal:
	case failed:
		d.failing.note(subjectOf(p), err, time.Now())
		err = fmt.Errorf("%w: %w", ErrFailing, err)
	default:
		d.failing.forget(subjectOf(p))
	}
	p.finish(o, err)
}

// batch is some commands that share a transaction.
type batch struct {
	desk      *Desk
	commands  []*pending
	locks     locking
	pages     pages
	contended []*pending

	loaded  *loaded
	results []result
}

// result is the outcome of a submission if the transaction commits.
type result struct {
	outcome Outcome
	err     error
	// store says that the response is stored with the submission's idempotency key.
	store bool
	// panicked says that the command must not be applied again.
	panicked bool
}

// transact runs the transaction. If it had read too little of a queue, it runs again
// with the largest page of that queue: reading on in the same transaction would lock
// further users out of order. Each time there are more such slots, and mostly none.
func (b *batch) transact(ctx context.Context) error {
	conn, err := postgres.Acquire(ctx, b.desk.pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	commands := b.commands
	for {
		cutShort, err := b.transactOn(ctx, conn)
		if err != nil || len(cutShort) == 0 {
			return err
		}
		b.commands, b.contended = commands, nil
		b.pages.whole = append(b.pages.whole, cutShort...)
	}
}

// transactOn runs the transaction, in three round trips: lock the slots and read them;
// lock the users and read what they have; write and commit. It writes nothing and
// returns the slots in question if it read too little of their queues.
func (b *batch) transactOn(ctx context.Context, conn *pgxpool.Conn) (cutShort []uuid.UUID, err error) {
	defer rollback(conn)
	b.loaded, err = lockSlots(ctx, conn.Conn(), b.commands, b.locks, b.pages)
	if err != nil {
		return nil, err
	}
	b.loaded.quotas = b.desk.quotas
	b.separateContended()
	if len(b.commands) == 0 {
		return nil, nil
	}
	if err := b.loaded.lockUsers(ctx, conn.Conn(), b.commands); err != nil {
		return nil, err
	}
	state := b.decide()
	if cutShort = b.pages.cutShort(state); len(cutShort) > 0 {
		return cutShort, nil
	}
	return nil, b.write(ctx, conn, state)
}

// rollback ends a transaction that is still open. If that fails, the pool closes
// the connection.
func rollback(conn *pgxpool.Conn) {
	if conn.Conn().PgConn().TxStatus() != 'I' && !conn.Conn().IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
		defer cancel()
		_, _ = conn.Exec(ctx, "ROLLBACK")
	}
}

// separateContended takes out the commands of slots that another transaction has
// locked.
func (b *batch) separateContended() {
	b.commands = slices.Clone(b.commands)
	b.commands = slices.DeleteFunc(b.commands, func(p *pending) bool {
		contended := slices.ContainsFunc(p.slots, b.loaded.isContended)
		if contended {
			if slot := b.loaded.slots[p.slots[0]]; b.loaded.lacksEvent(slot) {
				p.event = slot.EventID
			}
			b.contended = append(b.contended, p)
		}
		return contended
	})
}

// finish tells the callers their outcomes, after the commit.
func (b *batch) finish() {
	for i, p := range b.commands {
		r := b.results[i]
		b.desk.finish(p, r.outcome, r.err, r.panicked)
	}
	for _, p := range b.contended {
		p.requeue()
		if !b.desk.contended.put(p) {
			p.finish(Outcome{}, fault.Contention.New("This slot is locked by other requests.").After(retryAfter))
		}
	}
}

// decide applies the commands to what was loaded. If one panics, only that command
// fails: the others are applied again, from the loaded state, without it.
func (b *batch) decide() *seating.State {
	b.results = make([]result, len(b.commands))
	for try := 0; ; try++ {
		state := b.loaded.state()
		for _, err := range state.Wrong() {
			if try == 0 {
				b.desk.log.Error("a slot was inconsistent when it was loaded; run eventbooking doctor", "error", err)
			}
		}
		keys := maps.Clone(b.loaded.answered)
		if b.applyAll(state, keys) {
			return state
		}
	}
}

// applyAll returns false if a command panicked.
func (b *batch) applyAll(state *seating.State, keys keyring) bool {
	for i, p := range b.commands {
		if b.results[i].panicked {
			continue
		}
		r, ok := b.apply(state, keys, p)
		b.results[i] = r
		if !ok {
			return false
		}
	}
	return true
}

// apply applies one command, or finds the stored response to its key. It returns
// false if the command panicked.
func (b *batch) apply(state *seating.State, keys keyring, p *pending) (r result, ok bool) {
	defer func() {
		if cause := recover(); cause != nil {
			b.desk.log.Error("command panicked", "command", fmt.Sprintf("%T", p.Command), "panic", cause, "stack", string(debug.Stack()))
			r, ok = result{err: fault.Internal.New("The request could not be processed."), panicked: true}, false
		}
	}()
	if p.Key != nil {
		if stored, found := keys[keyOf(p.Key)]; found {
			response, err := stored.replay(p.Key)
			return result{outcome: Outcome{Response: response}, err: err}, true
		}
		if p.Key.Quota > 0 {
			if err := b.loaded.checkKeyQuota(p.Key, keys); err != nil {
				return result{err: err}, true
			}
		}
	}
	r.outcome.Result, r.err = state.Apply(p.Command)
	if r.err == nil && p.Render != nil {
		r.outcome.Response, r.err = p.Render(r.outcome.Result)
		if r.err != nil {
			panic(r.err) // The command's effect is in the state already, and must not stay.
		}
	}
	// Refusals are not kept: a repeated request is decided again.
	if p.Key != nil && r.err == nil {
		r.store = true
		keys.keep(p.Key, r.outcome.Response)
	}
	return r, true
}
