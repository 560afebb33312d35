// Package seed fills a database with people, events and everything that happened
// to them: enough to try every rule of the service by hand, and, multiplied, to
// load it. It writes histories, not states: each slot's ledger comes from the
// same slot machine that the service runs, so what was seeded passes the doctor.
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
	"eventbooking/internal/postgres"
)

// Options say what to seed.
type Options struct {
	// Number chooses what exactly is made. The same Number, Scale and Now make the
	// same rows, but for the salts of the passwords' hashes.
	Number int64
	// Now is the time up to which histories go; zero is the database's clock.
	Now time.Time
	// Scale multiplies everything but the scenarios; 0 is 1.
	Scale int
	// Fresh empties the database first, whatever it holds.
	Fresh bool
	// Progress is told how far it is, a line at a time; nil is nobody.
	Progress io.Writer
}

// MaxScale bounds Scale, at some tens of millions of bookings.
const MaxScale = 10_000

// Run seeds a database: an empty one, or, with Fresh, whichever. What it seeded
// before it replaces; a database that holds anything else it refuses.
func Run(ctx context.Context, pool *pgxpool.Pool, o Options) (Report, error) {
	report, _, err := run(ctx, pool, o, false)
	return report, err
}

// RunIfEmpty seeds an empty database, and tells whether it was one. Any number
// of processes may try at once: one seeds, the others wait for it.
func RunIfEmpty(ctx context.Context, pool *pgxpool.Pool, o Options) (Report, bool, error) {
	// The usual case is a database in use, whose tables must not be locked.
	if empty, err := Empty(ctx, pool); err != nil || !empty {
		return Report{}, false, err
	}
	return run(ctx, pool, o, true)
}

// Empty tells whether a database holds neither users nor events.
func Empty(ctx context.Context, pool *pgxpool.Pool) (bool, error) {
	empty, err := db.New().SeedEmpty(ctx, pool)
	return empty, postgres.Translate(err)
}

// lockTimeout is how long the service's transactions may take to let the seeder
// have the tables for itself.
const lockTimeout = 10 * time.Second

// run does all in one transaction: a database is seeded, or as it was before.
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
	unlock, err := postgres.Lock(ctx, pool.Config().ConnString(), "seed")
	if err != nil {
		return report, false, err
	}
	defer unlock()
	err = postgres.InTx(ctx, pool, func(tx pgx.Tx) (err error) {
		// It may take its time.
		if _, err := tx.Exec(ctx, postgres.Timeouts{Lock: lockTimeout}.SQL()); err != nil {
			return err
		}
		if seeded, err = makeRoomTx(ctx, tx, o.Fresh, onlyEmpty); err != nil || !seeded {
			return err
		}
		report, err = fillTx(ctx, tx, o)
		return err
	})
	return report, seeded && err == nil, err
}

// makeRoomTx locks the tables and sees to it that they are empty, if that may be.
func makeRoomTx(ctx context.Context, tx pgx.Tx, fresh, onlyEmpty bool) (bool, error) {
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

// fillTx makes the worlds, one ahead of the one that is written, and writes them.
func fillTx(ctx context.Context, tx pgx.Tx, o Options) (Report, error) {
	now := o.Now
	if now.IsZero() {
		var err error
		if now, err = db.New().SeedClock(ctx, tx); err != nil {
			return Report{}, err
		}
	}
	now = now.UTC().Truncate(time.Microsecond)
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
			return report, fmt.Errorf("seed %d makes no sense: %w", o.Number, made.err)
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
			fmt.Fprintf(o.Progress, "%d of %d: %d bookings, %d ledger entries\n", w.index+1, o.Scale, report.Counts.Bookings, report.Counts.Entries)
		}
	}
	err = load.endTx(ctx, tx, func(statement string) { fmt.Fprintln(o.Progress, statement) })
	if err != nil {
		return report, err
	}
	// The planner must not take the tables for empty until somebody looks.
	return report, execTx(ctx, tx, nil, "ANALYZE users, events, slots, bookings, ledger")
}

type made struct {
	world *world
	err   error
}

// worlds makes the worlds in order, on a processor of its own.
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

// hashes hashes each distinct password once: that costs tens of milliseconds.
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
