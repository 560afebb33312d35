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

// The SQLSTATEs that are handled, by PostgreSQL's names for them.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014" // by statement_timeout; a cancelled caller is a context error
	idleInTransaction    = "25P03"
	adminShutdown        = "57P01"
	crashShutdown        = "57P02"
	cannotConnectNow     = "57P03"
	tooManyConnections   = "53300"
	connectionException  = "08" // the class
	protocolViolation    = "08P01"

	invalidPassword       = "28P01"
	invalidAuthorization  = "28000"
	noSuchDatabase        = "3D000"
	insufficientPrivilege = "42501"
	noSuchSetting         = "42704"
	invalidSetting        = "22023"
	duplicateTable        = "42P07"
	noSuchStatement       = "26000"
	duplicateStatement    = "42P05"
)

// retryAfter is how long callers are asked to wait when the cause is the database,
// not their request.
const retryAfter = time.Second

// Retryable reports whether the same transaction may succeed when it runs again:
// it lost a deadlock or a serialization conflict, or did not get a lock in time.
func Retryable(err error) bool {
	switch sqlState(err) {
	case serializationFailure, deadlockDetected, lockNotAvailable:
		return true
	}
	return false
}

// Lost reports whether the connection was lost in a transaction before its COMMIT
// was sent: nothing happened, and it may succeed on another connection. The server
// ends idle transactions, and a pool may hold connections to a server that has
// restarted since.
func Lost(err error) bool {
	return Unavailable(err) && !errors.Is(err, fault.DatabaseUnavailable)
}

// Unavailable reports whether an error means that the database cannot be reached:
// it refuses or loses connections, starts, stops, or has no connection left.
func Unavailable(err error) bool {
	if err == nil || errors.Is(err, fault.OutcomeUnknown) {
		return false
	}
	var connect *pgconn.ConnectError
	if errors.Is(err, fault.DatabaseUnavailable) || errors.As(err, &connect) {
		return true // whatever its reason: no route, a wrong password, …
	}
	switch state := sqlState(err); state {
	case "":
		return !isContextError(err) && isConnectionLoss(err)
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

// isContextError tells a caller who gave up from a broken network: an exceeded
// deadline is a net.Error as well.
func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Translate turns errors of the database's state into faults, wrapping the cause
// for the log: fault.Contention, fault.DatabaseUnavailable or fault.Overloaded. It
// returns every other error as it is: only the package that wrote knows what a
// violated constraint means.
func Translate(err error) error {
	switch {
	case err == nil || fault.Of(err) != nil:
		return err
	case Retryable(err):
		return errFault(fault.Contention, "Concurrent requests kept changing the same data.", err)
	case Unavailable(err):
		return errFault(fault.DatabaseUnavailable, "The database cannot be reached.", err)
	case sqlState(err) == queryCanceled:
		return errFault(fault.Overloaded, "The database did not answer in time.", err)
	}
	return err
}

func errFault(code *fault.Code, detail string, cause error) error {
	return fmt.Errorf("%w (%w)", code.New(detail).After(retryAfter), cause)
}

func sqlState(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}
