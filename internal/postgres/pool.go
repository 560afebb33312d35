// Package postgres connects the service to PostgreSQL: pools (Open), transactions
// with timeouts and retries (InTx), single queries (Read), what a database error
// means to a caller (Translate), locks for work that one process does (LockTx), and
// the migrations of our tables and River's (MigrateUp). It knows nothing of
// events, slots or bookings. The server that runs without a DATABASE_URL is in
// postgres/embedded.
package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"
	"weak"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"eventbooking/internal/fault"
)

// PoolOptions size and name a pool.
type PoolOptions struct {
	// MaxConns is the size of the pool. 0 means what the URL says, or pgx's default.
	MaxConns int32
	// Name is the connections' application_name in pg_stat_activity.
	Name string
	// StatementTimeout bounds statements outside transactions, which set their own; 0
	// is no bound.
	StatementTimeout time.Duration
	// Impatient means that nobody waits for a connection that others have: a request had
	// better be told to come again. Otherwise that wait is like the one for a connection
	// that is being opened.
	Impatient bool
}

const (
	connectTimeout = 3 * time.Second
	// acquireTimeout bounds the wait for a connection, also for one that is being
	// opened: a TLS handshake under load is no outage.
	acquireTimeout = 2 * time.Second
	// busyTimeout bounds the wait for a connection that others have, in a pool that is
	// Impatient, or where the server has none left to open.
	busyTimeout = 100 * time.Millisecond
	// idleBeforePing is how long a connection may be idle and still be used without
	// a ping, pingTimeout how long it may then take to answer.
	idleBeforePing = time.Second
	pingTimeout    = 500 * time.Millisecond
)

// Open makes a pool. It does not connect: the pool does when it is asked for a
// connection, so a database that is down now is not an error. The only error is
// ErrAddress.
func Open(ctx context.Context, address string, o PoolOptions) (*pgxpool.Pool, error) {
	config, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	// Besides client_encoding the only parameter that is sent when connecting, because
	// poolers refuse others: transactions set what they need themselves (see Timeouts).
	if o.Name != "" {
		config.ConnConfig.RuntimeParams["application_name"] = o.Name
	}
	if o.MaxConns > 0 {
		config.MaxConns = o.MaxConns
	}
	// Connections are renewed, so that a database behind a changed address gets its
	// share of them, and not all at the same moment.
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute
	config.MaxConnIdleTime = 10 * time.Minute
	config.HealthCheckPeriod = 15 * time.Second
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		registerTypes(conn)
		return setStatementTimeout(ctx, conn, o.StatementTimeout)
	}
	config.ConnConfig.OnNotice = onNotice
	var pool *pgxpool.Pool
	config.ShouldPing = func(ctx context.Context, p pgxpool.ShouldPingParams) bool {
		if p.IdleDuration < idleBeforePing || isAlive(ctx, p.Conn) {
			return false
		}
		// The network or the server may have dropped the others silently, too, and
		// each would cost a caller the same wait: renew all of them.
		pool.Reset()
		return true // the ping finds this one closed
	}
	pool, err = pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the pool: %w", err)
	}
	if o.Impatient {
		impatient.Store(weak.Make(pool), true)
	}
	return pool, nil
}

// isAlive reports whether a connection answers within pingTimeout.
func isAlive(ctx context.Context, conn *pgx.Conn) bool {
	// A cancelled caller says nothing about the connection.
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
	defer cancel()
	return conn.Ping(detached) == nil
}

// registerTypes lets pgx send google/uuid values in binary. Without it pgx formats
// every element of an array as text, and the desk sends long arrays.
func registerTypes(conn *pgx.Conn) { pgxuuid.Register(conn.TypeMap()) }

// setStatementTimeout bounds the statements of Read, once for the life of a connection:
// to set it with each of them would take a round trip more. A context that ends asks the
// server to stop, too, but that request may be lost with the client. Behind a pooler it
// becomes that of a connection which others of this service use, for whom it is right,
// too.
func setStatementTimeout(ctx context.Context, conn *pgx.Conn, timeout time.Duration) error {
	if timeout == 0 {
		return nil
	}
	_, err := conn.Exec(ctx, fmt.Sprintf("SET statement_timeout = %d", timeout.Milliseconds()))
	return err
}

// impatient has the pools that are. A pool has no place for a setting of ours; the weak
// pointers let them go when nobody else uses them.
var impatient sync.Map

// Acquire takes a connection from the pool. It waits at most 2 seconds, then returns
// fault.DatabaseUnavailable, or, in a pool that is Impatient, 0.1 seconds for one that
// others have, then fault.Overloaded; if ctx ends first, the error of ctx. The caller must
// Release the connection.
func Acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	conn, err := pool.Acquire(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		if isBusy(pool) {
			return nil, errFault(fault.Overloaded, "All database connections are in use.", err)
		}
		limited, cancel = context.WithTimeout(ctx, acquireTimeout-busyTimeout)
		defer cancel()
		conn, err = pool.Acquire(limited)
	}
	if sqlState(err) == tooManyConnections {
		conn, err = acquireBusy(limited, pool, err)
	}
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err() // the caller gave up, not the database
	}
	return nil, errFault(fault.DatabaseUnavailable, "No database connection is available.", err)
}

// isBusy says whether a pool is Impatient, and others have all of its connections.
func isBusy(pool *pgxpool.Pool) bool {
	_, found := impatient.Load(weak.Make(pool))
	return found && pool.Stat().AcquiredConns() == pool.Stat().MaxConns()
}

// acquireBusy takes a connection from a pool that the server does not let grow to its
// size. The pool does not know that, and would rather fail than wait for one of those
// that it has.
func acquireBusy(ctx context.Context, pool *pgxpool.Pool, refused error) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	for try := 0; Backoff(ctx, min(try, 1)) == nil; try++ {
		conn, err := pool.Acquire(ctx)
		if err == nil || sqlState(err) != tooManyConnections && ctx.Err() == nil {
			return conn, err
		}
	}
	return nil, refused
}
