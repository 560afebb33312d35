package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"eventbooking/internal/fault"
)

// SQLSTATEs that mean something to us, by PostgreSQL's names for them.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014" // by statement_timeout; a caller's end is a context error
	idleInTransaction    = "25P03"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
	cannotConnectNow     = "57P03"
	tooManyConnections   = "53300"
	connectionException  = "08" // the class
)

// retryAfter is what callers are asked to wait when the database is the matter,
// and not their request.
const retryAfter = time.Second

// Retryable tells whether the same transaction may succeed when it runs again:
// it lost a deadlock, a serialization conflict, or the patience for a lock.
func Retryable(err error) bool {
	switch sqlState(err) {
	case serializationFailure, deadlockDetected, lockNotAvailable:
		return true
	}
	return false
}

// Lost tells whether the connection went away in the middle of a transaction
// whose COMMIT was not sent: nothing happened, and another connection may do.
// The server hangs up on idle transactions, and a pool holds connections for a
// while whose server has restarted.
func Lost(err error) bool {
	return Unavailable(err) && !errors.Is(err, fault.DatabaseUnavailable)
}

// Unavailable tells whether an error means that the database cannot be reached:
// refused, cut off, starting, stopping, or out of connections.
func Unavailable(err error) bool {
	if err == nil || errors.Is(err, fault.OutcomeUnknown) {
		return false
	}
	var connect *pgconn.ConnectError
	if errors.Is(err, fault.DatabaseUnavailable) || errors.As(err, &connect) {
		return true // a ConnectError for whatever reason: no route, a wrong password, …
	}
	switch state := sqlState(err); state {
	case "":
		return !isContext(err) && isConnectionLoss(err)
	case adminShutdown, crashShutdown, cannotConnectNow, tooManyConnections, idleInTransaction:
		return true
	default:
		return strings.HasPrefix(state, connectionException)
	}
}

func isConnectionLoss(err error) bool {
	var network net.Error
	return errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) // pgx found the connection closed before it sent anything
}

// isContext separates the caller's end from the network's: a deadline that
// passed is a net.Error too.
func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Translate turns what the database's state causes into the fault that a caller
// is told, with the cause beside it for the log. Every other error comes back as
// it is: what a violated constraint means, only the room that wrote knows.
func Translate(err error) error {
	switch {
	case err == nil || fault.Of(err) != nil:
		return err
	case Retryable(err):
		return because(fault.Contention, "Others changed the same things at the same time, again and again.", err)
	case Unavailable(err):
		return because(fault.DatabaseUnavailable, "The database cannot be reached at the moment.", err)
	case sqlState(err) == queryCanceled:
		return because(fault.Overloaded, "The database did not answer in time.", err)
	}
	return err
}

func because(code *fault.Code, detail string, cause error) error {
	return fmt.Errorf("%w (%w)", code.New(detail).After(retryAfter), cause)
}

func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}
