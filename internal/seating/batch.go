package seating

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/postgres"
)

// locking is what a batch does about slots that somebody else has locked.
type locking int

const (
	// skipLocked sets their commands aside.
	skipLocked locking = iota
	// waitForLocks waits, for the lock timeout at most.
	waitForLocks
	// onlyLook locks nothing and changes nothing.
	onlyLook
)

// run brings tickets to their ends: all of them, whatever happens.
func (d *Desk) run(tickets []*ticket, locks locking) {
	ctx, cancel := context.WithTimeout(context.Background(), batchDeadline)
	defer cancel()
	d.attempt(ctx, tickets, locks)
}

// attempt runs tickets as one transaction. One that loses against others runs
// again; one that fails is split in two, in the order of arrival, until only the
// command that cannot be done is left alone with its error.
func (d *Desk) attempt(ctx context.Context, tickets []*ticket, locks locking) {
	for try := 0; ; try++ {
		b := &batch{desk: d, tickets: tickets, locks: locks}
		err := b.transact(ctx)
		if err == nil {
			b.finish()
			return
		}
		if len(tickets) > 1 && splittable(err) {
			half := len(tickets) / 2
			d.attempt(ctx, tickets[:half], locks)
			d.attempt(ctx, tickets[half:], locks)
			return
		}
		again := postgres.Retryable(err) || postgres.Lost(err)
		if try == postgres.Retries || !again || postgres.Backoff(ctx, try) != nil {
			d.fail(tickets, err)
			return
		}
	}
}

// splittable says whether a part of the batch might succeed where the whole did
// not: not without a database, and not where the whole may have happened.
func splittable(err error) bool {
	return !postgres.Unavailable(err) && !errors.Is(err, fault.OutcomeUnknown) && !errors.Is(err, context.DeadlineExceeded)
}

func (d *Desk) fail(tickets []*ticket, err error) {
	err = postgres.Translate(err)
	// A deadline that passed in COMMIT is none of these: its outcome is unknown.
	if fault.Of(err) == nil && errors.Is(err, context.DeadlineExceeded) {
		err = fault.Overloaded.New("The database did not answer in time.").After(retryAfter)
	}
	d.log.Error("batch failed", "commands", len(tickets), "error", err)
	for _, t := range tickets {
		t.finish(Outcome{}, err)
	}
}

// batch is some tickets on their way through one transaction.
type batch struct {
	desk    *Desk
	tickets []*ticket
	locks   locking
	aside   []*ticket

	loaded  *loaded
	results []result
}

// result is what a ticket comes to, if the transaction commits.
type result struct {
	outcome Outcome
	err     error
	// store: the answer is kept with the ticket's idempotency key.
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

	b.loaded, err = lockSlots(ctx, conn.Conn(), b.tickets, b.locks)
	if err != nil {
		return err
	}
	b.setAside()
	if len(b.tickets) == 0 {
		return nil
	}
	if err := b.loaded.lockUsers(ctx, conn.Conn(), b.tickets); err != nil {
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

// setAside takes out the tickets of slots that are there but were not to be had.
func (b *batch) setAside() {
	b.tickets = slices.Clone(b.tickets)
	b.tickets = slices.DeleteFunc(b.tickets, func(t *ticket) bool {
		stuck := slices.ContainsFunc(t.slots, b.loaded.stuck)
		if stuck {
			b.aside = append(b.aside, t)
		}
		return stuck
	})
}

// finish tells everybody, after the commit.
func (b *batch) finish() {
	for i, t := range b.tickets {
		t.finish(b.results[i].outcome, b.results[i].err)
	}
	for _, t := range b.aside {
		t.requeue()
		if !b.desk.aside.put(t) {
			t.finish(Outcome{}, fault.Contention.New("Others keep this slot locked.").After(retryAfter))
		}
	}
}

// decide applies the commands to what was loaded. A panic belongs to its command
// alone: the others are applied again, from the start, without it.
func (b *batch) decide() *State {
	b.results = make([]result, len(b.tickets))
	for {
		state := b.loaded.state()
		keys := maps.Clone(b.loaded.answered)
		if b.applyAll(state, keys) {
			return state
		}
	}
}

func (b *batch) applyAll(state *State, keys keyring) bool {
	for i, t := range b.tickets {
		if b.results[i].broken {
			continue
		}
		r, ok := b.apply(state, keys, t)
		b.results[i] = r
		if !ok {
			return false
		}
	}
	return true
}

// apply lets one command decide, and says false when it panicked.
func (b *batch) apply(state *State, keys keyring, t *ticket) (r result, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			b.desk.log.Error("command panicked", "command", fmt.Sprintf("%T", t.Command), "panic", p, "stack", string(debug.Stack()))
			r, ok = result{err: fault.Internal.New("The command could not be carried out."), broken: true}, false
		}
	}()
	if t.Key != nil {
		if stored, found := keys[keyOf(t.Key)]; found {
			response, err := stored.replay(t.Key)
			return result{outcome: Outcome{Response: response}, err: err}, true
		}
	}
	r.outcome.Result, r.err = t.Command.apply(state)
	if r.err == nil && t.Render != nil {
		r.outcome.Response, r.err = t.Render(r.outcome.Result)
		if r.err != nil {
			panic(r.err) // The effect is in the state already: take it back.
		}
	}
	if t.Key != nil {
		r.store = keys.keep(t.Key, &r)
	}
	return r, true
}

// keyring holds the answers to requests that came with an idempotency key,
// stored or of this batch.
type keyring map[keyID]answered

type keyID struct {
	userID uuid.UUID
	value  string
}

type answered struct {
	fingerprint []byte
	response    idempotency.Response
}

func keyOf(k *idempotency.Key) keyID { return keyID{k.UserID, k.Value} }

// keep remembers the answer if it is of the kind that is remembered.
func (ring keyring) keep(k *idempotency.Key, r *result) bool {
	response := r.outcome.Response
	if r.err != nil {
		if !idempotency.Storable(r.err) {
			return false
		}
		response = k.Refuse(fault.Of(r.err))
	}
	ring[keyOf(k)] = answered{k.Fingerprint, response}
	return true
}

// replay is the first answer again, for the same request only.
func (a answered) replay(k *idempotency.Key) (idempotency.Response, error) {
	if err := k.Check(a.fingerprint); err != nil {
		return idempotency.Response{}, err
	}
	response := a.response
	response.Replayed = true
	return response, nil
}

func (id keyID) compare(other keyID) int {
	return cmp.Or(bytes.Compare(id.userID[:], other.userID[:]), cmp.Compare(id.value, other.value))
}
