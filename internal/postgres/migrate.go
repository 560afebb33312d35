package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"eventbooking/db"
)

// RiverSchema is where River keeps its tables, away from ours.
const RiverSchema = "river"

// migrationLock is the start-up lock under which every migration runs, ours and
// River's: River's own have none.
const migrationLock = "migrate"

// Status is how far a database is migrated.
type Status struct {
	// Version is the last of our migrations that the database has, Latest the
	// last that this program knows; 0 is none.
	Version, Latest uint
	// Dirty says that a tool that migrates without a transaction stopped half-way.
	Dirty bool
	// River and RiverLatest are the same for River's migrations.
	River, RiverLatest int
}

// Current tells whether the database has all that this program needs.
func (s Status) Current() bool {
	return !s.Dirty && s.Version >= s.Latest && s.River >= s.RiverLatest
}

// MigrateUp brings the database to the latest version, together with any number
// of other processes that try the same.
func MigrateUp(ctx context.Context, url string) error {
	return migrator{files: db.Migrations}.run(ctx, url, migrator.up)
}

// MigrateDown takes back the given number of our migrations, or, with 0, all of
// them and River's: what is left is an empty database.
func MigrateDown(ctx context.Context, url string, steps int) error {
	if steps < 0 {
		return fmt.Errorf("cannot migrate down by %d steps", steps)
	}
	return migrator{files: db.Migrations}.run(ctx, url, func(m migrator, ctx context.Context, pool *pgxpool.Pool) error {
		return m.down(ctx, pool, steps)
	})
}

// MigrationStatus reads how far the database is migrated, without a lock.
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
	// A newer program has been here: in a rolling update, and on the way back
	// from one, the older must start too, and has nothing to add.
	if s, err := m.status(ctx, pool); err != nil || s.Version > s.Latest && s.Current() {
		return err
	}
	if err := m.ours(ctx, pool, (*migrate.Migrate).Up); err != nil {
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
		// Asked first, so that too high a number takes nothing back.
		s, err := m.status(ctx, pool)
		if err != nil {
			return err
		}
		if uint(steps) > s.Version {
			return fmt.Errorf("there are not that many migrations to take back: the database has %d", s.Version)
		}
		return m.ours(ctx, pool, func(ours *migrate.Migrate) error { return ours.Steps(-steps) })
	}
	if err := m.ours(ctx, pool, (*migrate.Migrate).Down); err != nil {
		return err
	}
	// All of River's is in its schema.
	_, err := pool.Exec(ctx, "DROP SCHEMA IF EXISTS "+RiverSchema+" CASCADE")
	return err
}

// ours runs golang-migrate over our migrations, on one connection.
func (m migrator) ours(ctx context.Context, pool *pgxpool.Pool, direction func(*migrate.Migrate) error) error {
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

// RiverVersion is the last of River's migrations that this program brings along.
func RiverVersion() int {
	river, err := riverMigrator(nil)
	if err != nil {
		panic(err) // only an unknown line of migrations makes it fail
	}
	known := river.AllVersions()
	return known[len(known)-1].Version
}

// riverVersion is read by us, because River refuses to name what it does not know.
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

// latest is the last migration that this program brings along.
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

// versionTable is golang-migrate's, so that its command-line tool works too.
const createVersionTable = `CREATE TABLE IF NOT EXISTS public.schema_migrations (
	version bigint NOT NULL PRIMARY KEY,
	dirty boolean NOT NULL
)`

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func readVersion(ctx context.Context, q querier) (version uint, dirty bool, err error) {
	var exists bool
	if err := q.QueryRow(ctx, "SELECT to_regclass('public.schema_migrations') IS NOT NULL").Scan(&exists); err != nil || !exists {
		return 0, false, err
	}
	err = q.QueryRow(ctx, "SELECT version, dirty FROM public.schema_migrations LIMIT 1").Scan(&version, &dirty)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return version, dirty, err
}

// atomicDriver lets golang-migrate write a migration and its version in one
// transaction. Its own drivers write "dirty", then the migration, then "clean",
// and a process killed in between leaves a mark that only a person can lift,
// because nobody can tell what happened. Here a migration is there whole, with
// its version, or not at all, and no mark is ever written.
//
// golang-migrate calls SetVersion(v, true), Run, SetVersion(v, false), in this
// order; these begin, continue and commit the transaction.
type atomicDriver struct {
	ctx  context.Context // golang-migrate passes none
	conn *pgx.Conn
	tx   pgx.Tx
	to   int // the version that the transaction leads to
}

func (d *atomicDriver) SetVersion(version int, begin bool) (err error) {
	if !begin {
		if err := d.tx.Commit(d.ctx); err != nil {
			return d.explain(err)
		}
		return nil
	}
	d.to = version
	// A migration may take its time: no timeouts but the context's.
	if d.tx, err = d.conn.BeginTx(d.ctx, pgx.TxOptions{BeginQuery: Begin + "; " + Timeouts{}.SQL()}); err != nil {
		return err
	}
	if _, err = d.tx.Exec(d.ctx, "DELETE FROM public.schema_migrations"); err != nil {
		return d.abandon(err)
	}
	if version == database.NilVersion {
		return nil
	}
	if _, err = d.tx.Exec(d.ctx, "INSERT INTO public.schema_migrations (version, dirty) VALUES ($1, false)", version); err != nil {
		return d.abandon(err)
	}
	return nil
}

func (d *atomicDriver) Run(migration io.Reader) error {
	sql, err := io.ReadAll(migration)
	if err != nil {
		return d.abandon(err)
	}
	// Without arguments pgx sends it as one simple query, of any number of statements.
	if _, err := d.conn.Exec(d.ctx, string(sql)); err != nil {
		return d.abandon(err)
	}
	if d.conn.PgConn().TxStatus() != 'T' {
		return d.explain(errors.New("a migration must not begin or end a transaction: it runs in one, together with its version"))
	}
	return nil
}

// abandon takes back what the migration did, its version too.
func (d *atomicDriver) abandon(cause error) error {
	detached, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), rollbackTimeout)
	defer cancel()
	return errors.Join(d.explain(cause), d.tx.Rollback(detached))
}

func (d *atomicDriver) explain(cause error) error {
	return fmt.Errorf("migration to version %d: %w", d.to, cause)
}

func (d *atomicDriver) Version() (int, bool, error) {
	version, dirty, err := readVersion(d.ctx, d.conn)
	if version == 0 {
		return database.NilVersion, dirty, err
	}
	return int(version), dirty, err
}

// Lock and Unlock have nothing to do: the caller holds the migration lock.
func (d *atomicDriver) Lock() error   { return nil }
func (d *atomicDriver) Unlock() error { return nil }

// Open, Close and Drop belong to golang-migrate's way of opening by URL.
func (d *atomicDriver) Open(string) (database.Driver, error) { return nil, errors.ErrUnsupported }
func (d *atomicDriver) Close() error                         { return nil }
func (d *atomicDriver) Drop() error                          { return errors.ErrUnsupported }
