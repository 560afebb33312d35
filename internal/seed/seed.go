// Package seed fills a database with sample data: users, events, and bookings with
// their ledgers. It is enough to try every rule of the service by hand, and a multiple
// of it is for load tests. The ledgers are made by the core that the service uses
// (package seating), so that seeded data passes the doctor.
package seed

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// Options are what to seed.
type Options struct {
	// Number is the random seed. The same Number, Scale and Now make the same rows,
	// except for the password hashes.
	Number int64
	// Now is the end of the simulated time, in whole seconds; zero means the database's
	// clock.
	Now time.Time
	// Scale multiplies everything but the scenarios; 0 means 1.
	Scale int
	// Fresh deletes all data first. Without it only seeded data is replaced.
	Fresh bool
	// Progress receives a line for each step of a large scale; may be nil.
	Progress io.Writer
}

// MaxScale bounds Scale. It makes some tens of millions of bookings.
const MaxScale = 10_000

// Run seeds a migrated database, in one transaction. It replaces seeded data. If the
// database has other data, it returns ErrOthersData, or with Fresh deletes all data.
func Run(ctx context.Context, pool *pgxpool.Pool, o Options) (Report, error) {
	report, _, err := run(ctx, pool, o, false)
	return report, err
}

// RunIfEmpty seeds a database if it is empty, and returns whether it did. If several
// processes call it at once, one seeds and the others wait for it.
func RunIfEmpty(ctx context.Context, pool *pgxpool.Pool, o Options) (Report, bool, error) {
	// Usually the database is in use, and its tables must not be locked.
	if empty, err := Empty(ctx, pool); err != nil || !empty {
		return Report{}, false, err
	}
	return run(ctx, pool, o, true)
}

// Empty reports whether a database has neither users nor events.
func Empty(ctx context.Context, pool *pgxpool.Pool) (bool, error) {
	empty, err := db.New().SeedEmpty(ctx, pool)
	return empty, postgres.Translate(err)
}

// lockTimeout is how long the seeder waits for the service's transactions, to lock the
// tables.
const lockTimeout = 10 * time.Second

// run seeds in one transaction, so that a failure changes nothing.
func run(ctx context.Context, pool *pgxpool.Pool, o Options, onlyEmpty bool) (report Report, seeded bool, err error) {
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Scale < 1 || o.Scale > MaxScale {
		return report, false, fmt.Errorf("the scale must be between 1 and %d, not %d", MaxScale, o.Scale)
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	done, err := postgres.InTxReturning(ctx, pool, func(tx pgx.Tx) (*Report, error) {
		if err := postgres.LockTx(ctx, tx, "seed"); err != nil {
			return nil, err
		}
		// Statements may take long, so only waiting for locks has a timeout.
		if _, err := tx.Exec(ctx, postgres.Timeouts{Lock: lockTimeout}.SQL()); err != nil {
			return nil, err
		}
		if empty, err := emptyIfAllowedTx(ctx, tx, o.Fresh, onlyEmpty); err != nil || !empty {
			return nil, err
		}
		report, err := fillTx(ctx, tx, o)
		return &report, err
	})
	if err != nil || done == nil {
		return report, false, err
	}
	return *done, true, nil
}

// emptyIfAllowedTx locks the tables, deletes their data if that is allowed, and
// returns whether they are empty now.
func emptyIfAllowedTx(ctx context.Context, tx pgx.Tx, fresh, onlyEmpty bool) (bool, error) {
	q := db.New()
	if err := q.SeedLock(ctx, tx); err != nil {
		return false, err
	}
	if empty, err := q.SeedEmpty(ctx, tx); err != nil || empty || onlyEmpty {
		return empty, err
	}
	if !fresh {
		switch others, err := q.SeedOthers(ctx, tx); {
		case err != nil:
			return false, err
		case others:
			return false, ErrOthersData
		}
	}
	return true, emptyTx(ctx, tx)
}

// fillTx writes the worlds. While one is written, the next one is made.
func fillTx(ctx context.Context, tx pgx.Tx, o Options) (Report, error) {
	now := o.Now
	if now.IsZero() {
		var err error
		if now, err = db.New().SeedClock(ctx, tx); err != nil {
			return Report{}, err
		}
	}
	now = now.UTC().Truncate(time.Second) // as exactly as Recall finds it again
	load, err := beginBulkTx(ctx, tx, o.Scale)
	if err != nil {
		return Report{}, err
	}
	report := Report{Number: o.Number, Now: now, Scale: o.Scale}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	hash := hashes()
	for made := range worlds(ctx, o, now) {
		if made.err != nil {
			return report, fmt.Errorf("seed %d is inconsistent: %w", o.Number, made.err)
		}
		w := made.world
		for _, u := range w.users {
			u.PasswordHash = hash(u.password)
		}
		if err := w.writeTx(ctx, tx, &report.Counts); err != nil {
			return report, err
		}
		report.Scenarios = append(report.Scenarios, w.scenarios...)
		if o.Scale > 1 {
			fmt.Fprintf(o.Progress, "%d of %d: %s, %s\n", w.index+1, o.Scale,
				fault.Count(int(report.Counts.Bookings), "booking"), fault.Count(int(report.Counts.Entries), "ledger entry"))
		}
	}
	err = load.endTx(ctx, tx, func(statement string) { fmt.Fprintln(o.Progress, statement) })
	if err != nil {
		return report, err
	}
	// Without statistics the planner would assume empty tables until autovacuum runs.
	return report, execTx(ctx, tx, nil, "ANALYZE users, events, slots, bookings, ledger")
}

type made struct {
	world *world
	err   error
}

// worlds makes the worlds in order, in a goroutine.
func worlds(ctx context.Context, o Options, now time.Time) <-chan made {
	out := make(chan made, 1)
	go func() {
		defer close(out)
		for index := range o.Scale {
			w, err := newWorld(o.Number, index, now)
			select {
			case out <- made{w, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// hashes returns a function that hashes each distinct password once, because that
// takes tens of milliseconds.
func hashes() func(password string) *string {
	known := map[string]*string{}
	return func(password string) *string {
		if known[password] == nil {
			hash := account.HashPassword(password)
			known[password] = &hash
		}
		return known[password]
	}
}
