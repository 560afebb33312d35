package desk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// locking is what a batch does about slots that somebody else has locked.
type locking int

const (
	// skipLocked leaves their commands to the workers of contended slots.
	skipLocked locking = iota
	// waitForLocks waits, for the lock timeout at most.
	waitForLocks
	// readOnly locks nothing and changes nothing.
	readOnly
)

// run carries commands out: each gets its outcome or its error, whatever happens.
func (d *Desk) run(commands []*pending, locks locking) {
	ctx, cancel := context.WithTimeout(context.Background(), batchDeadline)
	defer cancel()
	d.attempt(ctx, commands, locks)
}

// attempt runs commands as one transaction. One that loses against others runs
// again; one that fails is split in two, in the order of arrival, until only the
// command that cannot be done is left alone with its error.
func (d *Desk) attempt(ctx context.Context, commands []*pending, locks locking) {
	for try := 0; ; try++ {
		b := &batch{desk: d, commands: commands, locks: locks}
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

// canSplit says whether a part of the batch might succeed where the whole did
// not: not without a database, and not where the whole may have happened.
func canSplit(err error) bool {
	return !postgres.Unavailable(err) && !errors.Is(err, fault.OutcomeUnknown) && !errors.Is(err, context.DeadlineExceeded)
}

func (d *Desk) fail(commands []*pending, err error) {
	err = postgres.Translate(err)
	// A deadline that passed in COMMIT is none of these: its outcome is unknown.
	if fault.Of(err) == nil && errors.Is(err, context.DeadlineExceeded) {
		err = fault.Overloaded.New("The database did not answer in time.").After(retryAfter)
	}
	d.log.Error("batch failed", "commands", len(commands), "error", err)
	for _, p := range commands {
		p.finish(Outcome{}, err)
	}
}

// batch is some commands on their way through one transaction.
type batch struct {
	desk      *Desk
	commands  []*pending
	locks     locking
	contended []*pending

	loaded  *loaded
	results []result
}

// result is what a submission comes to, if the transaction commits.
type result struct {
	outcome Outcome
	err     error
	// store: the answer is kept with the submission's idempotency key.
	store bool
	// broken: the command panicked, and must not be applied again.
	broken bool
}

// transact is the transaction, in three round trips: lock the slots and look;
// lock the users and load; write and commit.
func (b *batch) transact(ctx context.Context) error {
	conn, err := postgres.Acquire(ctx, b.desk.pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	defer rollback(conn)

	b.loaded, err = lockSlots(ctx, conn.Conn(), b.commands, b.locks)
	if err != nil {
		return err
	}
	b.separateContended()
	if len(b.commands) == 0 {
		return nil
	}
	if err := b.loaded.lockUsers(ctx, conn.Conn(), b.commands); err != nil {
		return err
	}
	state := b.decide()
	return b.write(ctx, conn, state)
}

// rollback ends a transaction that is still open; where that fails, the pool
// closes the connection.
func rollback(conn *pgxpool.Conn) {
	if conn.Conn().PgConn().TxStatus() != 'I' && !conn.Conn().IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackTimeout)
		defer cancel()
		_, _ = conn.Exec(ctx, "ROLLBACK")
	}
}

// separateContended takes out the commands of slots that somebody else has locked.
func (b *batch) separateContended() {
	b.commands = slices.Clone(b.commands)
	b.commands = slices.DeleteFunc(b.commands, func(p *pending) bool {
		contended := slices.ContainsFunc(p.slots, b.loaded.isContended)
		if contended {
			b.contended = append(b.contended, p)
		}
		return contended
	})
}

// finish tells everybody, after the commit.
func (b *batch) finish() {
	for i, p := range b.commands {
		p.finish(b.results[i].outcome, b.results[i].err)
	}
	for _, p := range b.contended {
		p.requeue()
		if !b.desk.contended.put(p) {
			p.finish(Outcome{}, fault.Contention.New("Others keep this slot locked.").After(retryAfter))
		}
	}
}

// decide applies the commands to what was loaded. A panic belongs to its command
// alone: the others are applied again, from the start, without it.
func (b *batch) decide() *seating.State {
	b.results = make([]result, len(b.commands))
	for try := 0; ; try++ {
		state := b.loaded.state()
		for _, err := range state.Wrong() {
			if try == 0 {
				b.desk.log.Error("a slot was wrong when it was loaded; eventbooking doctor tells more", "error", err)
			}
		}
		keys := maps.Clone(b.loaded.answered)
		if b.applyAll(state, keys) {
			return state
		}
	}
}

func (b *batch) applyAll(state *seating.State, keys keyring) bool {
	for i, p := range b.commands {
		if b.results[i].broken {
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

// apply lets one command decide, and says false when it panicked.
func (b *batch) apply(state *seating.State, keys keyring, p *pending) (r result, ok bool) {
	defer func() {
		if cause := recover(); cause != nil {
			b.desk.log.Error("command panicked", "command", fmt.Sprintf("%T", p.Command), "panic", cause, "stack", string(debug.Stack()))
			r, ok = result{err: fault.Internal.New("The command could not be carried out."), broken: true}, false
		}
	}()
	if p.Key != nil {
		if stored, found := keys[keyOf(p.Key)]; found {
			response, err := stored.replay(p.Key)
			return result{outcome: Outcome{Response: response}, err: err}, true
		}
	}
	r.outcome.Result, r.err = state.Apply(p.Command)
	if r.err == nil && p.Render != nil {
		r.outcome.Response, r.err = p.Render(r.outcome.Result)
		if r.err != nil {
			panic(r.err) // The effect is in the state already: take it back.
		}
	}
	if p.Key != nil {
		r.store = keys.keep(p.Key, &r)
	}
	return r, true
}
