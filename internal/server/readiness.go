package server

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// readiness finds out whether the service can serve. Anybody may ask, at any rate, and
// hang up: so there is one check at a time, whose verdict is everybody's for a second,
// and it does not end with who asked for it.
//
// It uses a connection of the pool that serves requests. One of its own would say
// something else: where the database has no more to give, those in the pool still serve.
type readiness struct {
	pool *pgxpool.Pool

	mu   sync.Mutex
	last *verdict // nil before the first check
}

// verdict is the result of a check, once done is closed.
type verdict struct {
	done   chan struct{}
	at     time.Time
	checks []fault.Check
}

// checkTimeout bounds a check, and is how long its verdict holds.
const checkTimeout = time.Second

// ask returns the current verdict, or the error of ctx if that ends first.
func (r *readiness) ask(ctx context.Context) ([]fault.Check, error) {
	v := r.current()
	select {
	case <-v.done:
		return v.checks, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// current returns the verdict that holds or is being found. If there is none, it starts
// a check.
func (r *readiness) current() *verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil || r.last.isOld() {
		r.last = &verdict{done: make(chan struct{})}
		go r.last.find(r.pool)
	}
	return r.last
}

func (v *verdict) isOld() bool {
	select {
	case <-v.done:
		return time.Since(v.at) >= checkTimeout
	default:
		return false
	}
}

func (v *verdict) find(pool *pgxpool.Pool) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	v.checks = examine(ctx, pool)
	v.at = time.Now()
	close(v.done)
}

// examine checks the database and, if that answers, its schema.
func examine(ctx context.Context, pool *pgxpool.Pool) []fault.Check {
	conn, err := acquire(ctx, pool)
	if err != nil {
		return []fault.Check{check("database", err)}
	}
	defer conn.Release()
	return []fault.Check{check("database", nil), check("migrations", checkMigrations(ctx, conn))}
}

// acquire takes a connection that answers. It tries until ctx ends: where the database
// allows no new connection, one in use comes back to the pool.
func acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	for try := 0; ; try++ {
		conn, err := pool.Acquire(ctx)
		if err == nil {
			if err = conn.Ping(ctx); err == nil {
				return conn, nil
			}
			conn.Release()
		}
		if postgres.Backoff(ctx, try) != nil {
			return nil, err
		}
	}
}

func checkMigrations(ctx context.Context, conn *pgxpool.Conn) error {
	status, err := postgres.MigrationStatusOn(ctx, conn)
	if err == nil && !status.Current() {
		err = fault.DatabaseUnavailable.Newf("The database schema is at version %d of %d; run eventbooking migrate up.", status.Version, status.Latest)
	}
	return err
}
