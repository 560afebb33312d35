// Package postgres is the ground that every room stands on: connections to
// PostgreSQL, the one way to run a transaction with its timeouts and retries
// (InTx), what a database error means to a caller, the migrations of our tables
// and of River's, and the embedded server that runs when no DATABASE_URL is
// given. It knows nothing of events, slots or bookings.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"eventbooking/internal/fault"
)

// PoolOptions size and name a pool.
type PoolOptions struct {
	// MaxConns bounds the pool; 0 keeps what the URL or pgx says.
	MaxConns int32
	// Name is the application_name that the database shows for these connections.
	Name string
}

const (
	connectTimeout = 3 * time.Second
	acquireTimeout = 2 * time.Second
	// restless is how long a connection may be idle and still be trusted,
	// pingTimeout how long it may then take to answer.
	restless    = time.Second
	pingTimeout = 500 * time.Millisecond
)

// Open makes a pool. A database that cannot be reached now is not an error: the
// pool connects when it is asked for a connection, again and again.
func Open(ctx context.Context, url string, o PoolOptions) (*pgxpool.Pool, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	// The only parameter sent at connecting: poolers refuse others, so what a
	// transaction needs it sets itself (see Timeouts).
	if o.Name != "" {
		config.ConnConfig.RuntimeParams["application_name"] = o.Name
	}
	if o.MaxConns > 0 {
		config.MaxConns = o.MaxConns
	}
	// Connections do not live for ever, so that a database behind a changed
	// address gets its share, and do not all end at once.
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute
	config.MaxConnIdleTime = 10 * time.Minute
	config.HealthCheckPeriod = 15 * time.Second
	config.AfterConnect = prepare
	config.ConnConfig.OnNotice = heed
	var pool *pgxpool.Pool
	config.ShouldPing = func(ctx context.Context, p pgxpool.ShouldPingParams) bool {
		if p.IdleDuration < restless || answers(ctx, p.Conn) {
			return false
		}
		pool.Reset()
		return true // and finds it closed
	}
	pool, err = pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the pool: %w", err)
	}
	return pool, nil
}

// answers looks whether a connection still does. When one does not, the network
// or the server may have forgotten the others too, without a word, and each would
// cost somebody the same wait: whoever finds out empties the pool.
func answers(ctx context.Context, conn *pgx.Conn) bool {
	// A caller who leaves says nothing about the connection.
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
	defer cancel()
	return conn.Ping(detached) == nil
}

// prepare teaches a connection google/uuid's type. Without it pgx goes through
// the text form for every element of an array, and the desk sends long ones.
func prepare(_ context.Context, conn *pgx.Conn) error {
	pgxuuid.Register(conn.TypeMap())
	return nil
}

func parse(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// Not wrapped: what pgx says about an address it cannot parse may quote the password.
		return nil, errors.New("DATABASE_URL is not the address of a PostgreSQL database, " +
			"such as postgres://user:password@host:5432/eventbooking?sslmode=require")
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	return config, nil
}

// Acquire takes a connection from the pool, or refuses in bounded time with
// fault.DatabaseUnavailable.
func Acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	conn, err := pool.Acquire(limited)
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err() // the caller's own end, not the database's
	}
	return nil, because(fault.DatabaseUnavailable, "The database gives no connection at the moment.", err)
}
