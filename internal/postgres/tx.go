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

// Begin opens every transaction. It says what the service relies on, so that no
// default of a database or a role changes it. READ COMMITTED is enough because
// what is decided on is read after its row is locked; SERIALIZABLE would abort
// more transactions and is no substitute for the locks and constraints.
const Begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

// Timeouts bound one transaction; 0 is no bound. The transaction sets them
// itself, because poolers refuse them as parameters of a connection. Lock is the
// shortest and the request's own timeout the longest, so that the error says what
// the request waited for.
type Timeouts struct {
	// Lock bounds the wait for each lock (lock_timeout).
	Lock time.Duration
	// Statement bounds each statement but COMMIT (statement_timeout).
	Statement time.Duration
	// Idle ends a transaction whose client sends nothing, because it keeps its
	// rows locked (idle_in_transaction_session_timeout).
	Idle time.Duration
}

// DefaultTimeouts are the timeouts of InTx and of the desk.
var DefaultTimeouts = Timeouts{Lock: 2 * time.Second, Statement: 4 * time.Second, Idle: time.Second}

// SQL is one statement without parameters that sets the timeouts for the rest of
// its transaction. It also turns synchronous_commit on: an acknowledged COMMIT is
// on disk.
func (t Timeouts) SQL() string {
	return fmt.Sprintf("SELECT set_config('lock_timeout', '%dms', true), set_config('statement_timeout', '%dms', true), "+
		"set_config('idle_in_transaction_session_timeout', '%dms', true), set_config('synchronous_commit', 'on', true)",
		t.Lock.Milliseconds(), t.Statement.Milliseconds(), t.Idle.Milliseconds())
}

const (
	// CommitTimeout bounds COMMIT; statement_timeout does not (tried).
	CommitTimeout = 5 * time.Second
	// rollbackTimeout bounds ROLLBACK; a connection that takes longer is closed.
	rollbackTimeout = time.Second
	// Retries is how often a transaction runs again, after its first try.
	Retries = 3
)

// InTx runs fn in a transaction with DefaultTimeouts and commits when fn returns
// nil. Otherwise, and when fn panics, it rolls back and returns the error of fn.
//
// When the transaction loses against others (a deadlock, a serialization failure,
// a lock not had in time) or loses its connection before COMMIT, nothing has
// happened, and fn runs again after Backoff, up to Retries times. So fn must have
// no effects but through tx: it changes no variable outside itself. What failed at
// COMMIT without an answer is never repeated, because it may have happened: that is
// fault.OutcomeUnknown. Other errors of the database go through Translate.
func InTx(ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	_, err := InTxReturning(ctx, pool, func(tx pgx.Tx) (struct{}, error) { return struct{}{}, fn(tx) })
	return err
}

// InTxReturning is InTx for an fn with a result. It returns that of the try that was
// committed, or the zero value with an error: a result in a captured variable could
// be that of an earlier try.
func InTxReturning[T any](ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) (T, error)) (T, error) {
	for try := 0; ; try++ {
		result, err := inTx(ctx, pool, fn)
		if err == nil {
			return result, nil
		}
		if try == Retries || !Retryable(err) && !Lost(err) || Backoff(ctx, try) != nil {
			return *new(T), Translate(err)
		}
	}
}

// Backoff waits before the next try, where try counts from 0: 5 to 15 ms, twice as
// long after each, up to half a second. The wait is random, so that transactions
// that collided do not collide again. It returns the error of ctx if that ends.
func Backoff(ctx context.Context, try int) error {
	ceiling := 10 * time.Millisecond << min(try, 5)
	if !pause(ctx, ceiling/2+rand.N(ceiling)) {
		return ctx.Err()
	}
	return nil
}

func inTx[T any](ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) (T, error)) (result T, err error) {
	conn, err := Acquire(ctx, pool)
	if err != nil {
		return result, err
	}
	defer conn.Release()
	// A simple query of two statements: one round trip.
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: Begin + "; " + DefaultTimeouts.SQL()})
	if err != nil {
		return result, err
	}
	// Also after a panic in fn. After a commit it does nothing.
	defer func() {
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = tx.Rollback(detached)
	}()
	if result, err = fn(tx); err != nil {
		return result, err
	}
	if err := ctx.Err(); err != nil {
		return result, err
	}
	// Cancelling COMMIT would only make the outcome unknown.
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), CommitTimeout)
	defer cancel()
	return result, Committed(conn.Conn(), tx.Commit(detached))
}

// Committed turns the result of COMMIT into the outcome of the transaction. Nil
// means committed. It returns fault.OutcomeUnknown if the connection was lost
// before the answer came, or if the server committed without waiting for its
// standby. Any other error means that nothing was committed.
func Committed(conn *pgx.Conn, err error) error {
	var pgErr *pgconn.PgError
	switch {
	case err == nil && takeSyncWarning(conn.PgConn()):
		return fault.OutcomeUnknown.New("The change was committed, but may not have reached the standby database.").After(retryAfter)
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrTxCommitRollback):
		return fmt.Errorf("the transaction went on after a failed statement: %w", err)
	case errors.As(err, &pgErr) && pgErr.SeverityUnlocalized == "ERROR":
		return err
	case pgconn.SafeToRetry(err):
		return err // COMMIT was never sent
	}
	return errFault(fault.OutcomeUnknown, "The connection to the database was lost while the change was committed.", err)
}

// pause waits, and reports whether ctx is still alive.
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
