package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/fault"
)

// Begin opens every transaction of ours. What our rules rest on is said, so that
// no default of a database or of a role changes it.
const Begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

// Timeouts bound one transaction. They are set inside it, because poolers refuse
// them at connecting: a lock is given up before its statement is, and a
// statement before the request that waits for it.
type Timeouts struct {
	Lock      time.Duration
	Statement time.Duration
	// Idle ends a transaction whose client fell silent, which keeps seats locked.
	Idle time.Duration
}

// DefaultTimeouts are those of InTx and of the desk.
var DefaultTimeouts = Timeouts{Lock: 2 * time.Second, Statement: 4 * time.Second, Idle: time.Second}

// SQL is the one statement, without parameters, that sets the timeouts for the
// rest of its transaction, and that a COMMIT answered is a COMMIT on disk.
func (t Timeouts) SQL() string {
	return fmt.Sprintf("SELECT set_config('lock_timeout', '%dms', true), set_config('statement_timeout', '%dms', true), "+
		"set_config('idle_in_transaction_session_timeout', '%dms', true), set_config('synchronous_commit', 'on', true)",
		t.Lock.Milliseconds(), t.Statement.Milliseconds(), t.Idle.Milliseconds())
}

const (
	// CommitTimeout bounds COMMIT, which statement_timeout does not.
	CommitTimeout = 5 * time.Second
	// rollbackTimeout bounds the way back; a connection that does not manage it is closed.
	rollbackTimeout = time.Second
	// Retries are how often a transaction that lost against another runs again.
	Retries = 3
)

// InTx runs fn in a transaction and commits when it returns nil. When the
// transaction loses against others (a deadlock, a lock not had in time) or its
// connection before COMMIT, fn runs again, up to Retries times, so nothing but SQL and jobs may leave it. Errors
// of fn come back as they are; what the database's state causes is a fault.
func InTx(ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	for try := 0; ; try++ {
		err := inTx(ctx, pool, fn)
		if try == Retries || !Retryable(err) && !Lost(err) || Backoff(ctx, try) != nil {
			return Translate(err)
		}
	}
}

// Backoff waits before try number try+1, longer each time and never in step
// with whoever it lost against.
func Backoff(ctx context.Context, try int) error {
	ceiling := 10 * time.Millisecond << min(try, 5)
	if !pause(ctx, ceiling/2+rand.N(ceiling)) {
		return ctx.Err()
	}
	return nil
}

func inTx(ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	conn, err := Acquire(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	// Sent as one simple query: one round trip.
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: Begin + "; " + DefaultTimeouts.SQL()})
	if err != nil {
		return err
	}
	// Also after a panic in fn; after the commit it does nothing.
	defer func() {
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = tx.Rollback(detached)
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// From here on the caller's cancellation would only make the outcome unknown.
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), CommitTimeout)
	defer cancel()
	return Committed(conn.Conn(), tx.Commit(detached))
}

// Committed says what the answer to COMMIT means. An error that the server
// reports without ending the session is a transaction that did not happen. When
// the connection went instead, nobody told us whether the commit was written
// before: fault.OutcomeUnknown. So it is when the server says that it committed
// and did not wait for its standby.
func Committed(conn *pgx.Conn, err error) error {
	var pgErr *pgconn.PgError
	switch {
	case err == nil && unreplicated(conn.PgConn()):
		return fault.OutcomeUnknown.New("The database did not wait until its standby had the change, too.").After(retryAfter)
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return fmt.Errorf("a failed statement was overlooked in the transaction: %w", err)
	case errors.As(err, &pgErr) && pgErr.SeverityUnlocalized == "ERROR":
		return err
	case pgconn.SafeToRetry(err):
		return err // COMMIT was never sent
	}
	return because(fault.OutcomeUnknown, "The connection to the database was lost while the change was committed.", err)
}

// pause waits, and tells whether ctx still holds.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
