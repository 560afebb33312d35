package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"eventbooking/db"
	"eventbooking/internal/fault"
)

// RiverSchema is where River keeps its tables, away from ours.
const RiverSchema = "river"

// migrationLock names the lock that every migration takes, ours and River's, in its
// own transaction. golang-migrate has a lock, too, but it is a session's, which a
// pooler does not keep, and River has none. So any number of processes may start at
// once: each migration is applied by one of them.
const migrationLock = "migrate"

// MigrateUp brings the database to the latest version. Any number of processes may
// call it at the same time. A database that has that version, or a newer one of a newer
// program, is only read. If a migration fails, the error names its version, and the
// earlier ones stay applied; a database that cannot be reached is
// fault.DatabaseUnavailable.
func MigrateUp(ctx context.Context, address string) error {
	return migrator{files: db.Migrations}.run(ctx, address, migrator.up)
}

// MigrateDown reverts the last steps of our migrations, with their data. 0 steps
// reverts all of ours and River's. It returns an error and reverts nothing if the
// database has fewer migrations.
func MigrateDown(ctx context.Context, address string, steps int) error {
	if steps < 0 {
		return fmt.Errorf("cannot migrate down by %s", fault.Count(steps, "step"))
	}
	return migrator{files: db.Migrations}.run(ctx, address, func(m migrator, ctx context.Context, pool *pgxpool.Pool) error {
		return m.down(ctx, pool, steps)
	})
}

// MigrateForce records that the database has our migrations up to a version, and none
// that failed. It changes nothing else: it is for whoever has repaired by hand what
// another tool left half-way.
func MigrateForce(ctx context.Context, address string, version uint) error {
	return migrator{files: db.Migrations}.run(ctx, address, func(m migrator, ctx context.Context, pool *pgxpool.Pool) error {
		latest, err := m.latest()
		if err != nil {
			return err
		}
		if version > latest {
			return fmt.Errorf("cannot force version %d: this program has %d migrations", version, latest)
		}
		return m.locked(ctx, pool, func(tx pgx.Tx) error {
			if _, _, err := readVersion(ctx, tx); err != nil { // The table may be another program's.
				return err
			}
			_, err := tx.Exec(ctx, createVersionTable+"; DELETE FROM public.schema_migrations")
			if err == nil && version > 0 {
				_, err = tx.Exec(ctx, "INSERT INTO public.schema_migrations (version, dirty) VALUES ($1, false)", version)
			}
			return err
		})
	})
}

// MigrationStatus reads how far the database is migrated. It takes no lock.
func MigrationStatus(ctx context.Context, address string) (Status, error) {
	pool, err := Open(ctx, address, PoolOptions{MaxConns: 1, Name: "eventbooking migrate"})
	if err != nil {
		return Status{}, err
	}
	defer pool.Close()
	return migrator{files: db.Migrations}.status(ctx, pool)
}

// MigrationStatusOn is MigrationStatus by a connection that there is.
func MigrationStatusOn(ctx context.Context, conn *pgxpool.Conn) (Status, error) {
	return migrator{files: db.Migrations}.status(ctx, conn)
}

// migrator applies the migrations of a file system, and River's.
type migrator struct {
	files fs.FS // holds migrations/*.sql
}

func (m migrator) run(ctx context.Context, address string, work func(migrator, context.Context, *pgxpool.Pool) error) error {
	// One connection is enough for all of it, and a pooler may have no more.
	pool, err := Open(ctx, address, PoolOptions{MaxConns: 1, Name: "eventbooking migrate"})
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := work(m, ctx, pool); err != nil {
		return fmt.Errorf("migrate: %w", Translate(err))
	}
	return nil
}

func (m migrator) up(ctx context.Context, pool *pgxpool.Pool) error {
	s, err := m.status(ctx, pool)
	switch {
	case err != nil || s.Current():
		// Also after a newer program: in a rolling update, and when it is rolled back,
		// the older program must start as well, and has nothing to add.
		return err
	case s.Dirty:
		return fmt.Errorf("another tool's migration to version %d failed half-way: repair the schema, "+
			"then run eventbooking migrate force %d, or force %d if you have reverted it", s.Version, s.Version, max(s.Version, 1)-1)
	}
	if err := checkMayMigrate(ctx, pool, s); err != nil {
		return err
	}
	err = errMoved
	for try := uint(0); errors.Is(err, errMoved) && try <= s.Latest; try++ {
		err = m.apply(ctx, pool, (*migrate.Migrate).Up)
	}
	switch {
	case sqlState(err) == duplicateTable:
		return fmt.Errorf("%w: the database has tables of another program: use an empty database", err)
	case err != nil:
		return err
	}
	return m.riverUp(ctx, pool)
}

// riverUp applies River's migrations, each in a transaction: some cannot share one.
func (m migrator) riverUp(ctx context.Context, pool *pgxpool.Pool) error {
	river, err := riverMigrator(pool)
	if err != nil {
		return err
	}
	for range river.AllVersions() {
		var applied int
		err := m.locked(ctx, pool, func(tx pgx.Tx) error {
			var exists bool
			err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", RiverSchema).Scan(&exists)
			if err == nil && !exists {
				_, err = tx.Exec(ctx, "CREATE SCHEMA "+RiverSchema)
			}
			if err != nil {
				return err
			}
			result, err := river.MigrateTx(ctx, tx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{MaxSteps: 1}) //nolint:staticcheck // deprecated for several migrations in a transaction; this is one
			if err == nil {
				applied = len(result.Versions)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("migrate River: %w", err)
		}
		if applied == 0 {
			return nil
		}
	}
	return nil
}

// locked runs work in a transaction with the migration lock.
func (m migrator) locked(ctx context.Context, pool *pgxpool.Pool, work func(tx pgx.Tx) error) error {
	conn, err := Acquire(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{BeginQuery: Begin}, func(tx pgx.Tx) error {
		if err := LockTx(ctx, tx, migrationLock); err != nil {
			return err
		}
		return work(tx)
	})
}

func (m migrator) down(ctx context.Context, pool *pgxpool.Pool, steps int) error {
	if steps > 0 {
		// Checked first, so that too many steps revert nothing.
		s, err := m.status(ctx, pool)
		if err != nil {
			return err
		}
		if uint(steps) > s.Version {
			return fmt.Errorf("cannot revert %s: the database has %d", fault.Count(steps, "migration"), s.Version)
		}
		return m.apply(ctx, pool, func(ours *migrate.Migrate) error { return ours.Steps(-steps) })
	}
	if err := m.apply(ctx, pool, (*migrate.Migrate).Down); err != nil {
		return err
	}
	// All that River's migrations make is in its schema.
	return m.locked(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "DROP SCHEMA IF EXISTS "+RiverSchema+" CASCADE")
		return err
	})
}

// apply runs golang-migrate on our migrations, on one connection.
func (m migrator) apply(ctx context.Context, pool *pgxpool.Pool, direction func(*migrate.Migrate) error) error {
	conn, err := Acquire(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	source, err := iofs.New(m.files, "migrations")
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	ours, err := migrate.NewWithInstance("iofs", source, "postgres", &atomicDriver{ctx: ctx, conn: conn.Conn()})
	if err != nil {
		return err
	}
	if err := direction(ours); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return err
	}
	return nil
}

func riverMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: RiverSchema, Logger: slog.New(slog.DiscardHandler)})
}

// RiverVersion is the last of River's migrations that this program has.
func RiverVersion() int {
	river, err := riverMigrator(nil)
	if err != nil {
		panic(err) // New fails only for a name of migrations that does not exist
	}
	known := river.AllVersions()
	return known[len(known)-1].Version
}

// latest is the last of our migrations that this program has.
func (m migrator) latest() (uint, error) {
	source, err := iofs.New(m.files, "migrations")
	if err != nil {
		return 0, err
	}
	defer func() { _ = source.Close() }()
	latest, err := source.First()
	for err == nil {
		var next uint
		if next, err = source.Next(latest); err == nil {
			latest = next
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // past the last one
	}
	return latest, err
}
