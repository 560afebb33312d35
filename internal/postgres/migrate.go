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

// migrationLock names the Lock under which every migration runs, ours and River's.
// golang-migrate has a lock of its own, but it is a session's, which a pooler does
// not keep, and it does not cover River's migrations, which have none. With one
// lock around both, any number of processes may start at once: one migrates, the
// others wait and find nothing to do.
const migrationLock = "migrate"

// Status says how far a database is migrated.
type Status struct {
	// Version is the last of our migrations that the database has, Latest the last
	// that this program has. 0 is none.
	Version, Latest uint
	// Dirty means that another tool, which migrates without a transaction, failed
	// half-way.
	Dirty bool
	// River and RiverLatest are the same for River's migrations.
	River, RiverLatest int
}

// Current reports whether the database has all migrations that this program needs.
func (s Status) Current() bool {
	return !s.Dirty && s.Version >= s.Latest && s.River >= s.RiverLatest
}

// MigrateUp brings the database to the latest version. Any number of processes may
// call it at the same time. A database that a newer program has migrated is left
// as it is. If a migration fails, the error names its version, and the earlier
// ones stay applied; a database that cannot be reached is
// fault.DatabaseUnavailable.
func MigrateUp(ctx context.Context, url string) error {
	return migrator{files: db.Migrations}.run(ctx, url, migrator.up)
}

// MigrateDown reverts the last steps of our migrations, with their data. 0 steps
// reverts all of ours and River's. It returns an error and reverts nothing if the
// database has fewer migrations.
func MigrateDown(ctx context.Context, url string, steps int) error {
	if steps < 0 {
		return fmt.Errorf("cannot migrate down by %s", fault.Count(steps, "step"))
	}
	return migrator{files: db.Migrations}.run(ctx, url, func(m migrator, ctx context.Context, pool *pgxpool.Pool) error {
		return m.down(ctx, pool, steps)
	})
}

// MigrationStatus reads how far the database is migrated. It takes no lock.
func MigrationStatus(ctx context.Context, url string) (Status, error) {
	pool, err := Open(ctx, url, PoolOptions{MaxConns: 1, Name: "eventbooking migrate"})
	if err != nil {
		return Status{}, err
	}
	defer pool.Close()
	return migrator{files: db.Migrations}.status(ctx, pool)
}

// migrator applies the migrations of a file system, and River's.
type migrator struct {
	files fs.FS // holds migrations/*.sql
}

func (m migrator) run(ctx context.Context, url string, work func(migrator, context.Context, *pgxpool.Pool) error) error {
	unlock, err := Lock(ctx, url, migrationLock)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer unlock()
	pool, err := Open(ctx, url, PoolOptions{MaxConns: 2, Name: "eventbooking migrate"})
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
	// After a newer program: in a rolling update, and when it is rolled back, the
	// older program must start as well, and has nothing to add.
	if s, err := m.status(ctx, pool); err != nil || s.Version > s.Latest && s.Current() {
		return err
	}
	if err := m.apply(ctx, pool, (*migrate.Migrate).Up); err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+RiverSchema); err != nil {
		return err
	}
	river, err := riverMigrator(pool)
	if err != nil {
		return err
	}
	if _, err = river.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate River: %w", err)
	}
	return nil
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
	_, err := pool.Exec(ctx, "DROP SCHEMA IF EXISTS "+RiverSchema+" CASCADE")
	return err
}

// apply runs golang-migrate on our migrations, on one connection.
func (m migrator) apply(ctx context.Context, pool *pgxpool.Pool, direction func(*migrate.Migrate) error) error {
	conn, err := Acquire(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, createVersionTable); err != nil {
		return err
	}
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

// riverVersion reads River's own table: its Go API fails on the versions of a newer
// River.
func riverVersion(ctx context.Context, q querier) (version int, err error) {
	const table = RiverSchema + ".river_migration"
	var exists bool
	if err := q.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&exists); err != nil || !exists {
		return 0, err
	}
	err = q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+table+" WHERE line = 'main'").Scan(&version)
	return version, err
}

func (m migrator) status(ctx context.Context, pool *pgxpool.Pool) (Status, error) {
	var s Status
	var err error
	if s.Latest, err = m.latest(); err != nil {
		return s, err
	}
	s.RiverLatest = RiverVersion()
	if s.River, err = riverVersion(ctx, pool); err != nil {
		return s, Translate(err)
	}
	s.Version, s.Dirty, err = readVersion(ctx, pool)
	return s, Translate(err)
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
