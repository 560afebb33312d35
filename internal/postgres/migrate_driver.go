package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/golang-migrate/migrate/v4/database"
	"github.com/jackc/pgx/v5"
)

// atomicDriver lets golang-migrate write a migration and its version in one
// transaction: a migration is applied whole, with its version, or not at all.
// golang-migrate's own drivers write "dirty", then the migration, then "clean". A
// process killed in between leaves the mark, and every later start fails until a
// person removes it.
//
// golang-migrate calls SetVersion(v, true), Run, SetVersion(v, false), in this
// order. They begin, continue and commit the transaction, which holds the migration
// lock. Before it had the lock, another process may have migrated: then SetVersion
// returns errMoved, and nothing has happened.
type atomicDriver struct {
	ctx     context.Context // golang-migrate passes none
	conn    *pgx.Conn
	tx      pgx.Tx
	from    int // the version that golang-migrate was told
	version int // the version that the transaction leads to
}

// errMoved means that the version is not the one that the next migration starts from.
var errMoved = errors.New("another process migrates this database at the same time")

func (d *atomicDriver) SetVersion(version int, begin bool) (err error) {
	if !begin {
		if err := d.tx.Commit(d.ctx); err != nil {
			return d.errMigration(err)
		}
		d.from = d.version
		return nil
	}
	d.version = version
	if d.tx, err = d.conn.BeginTx(d.ctx, pgx.TxOptions{BeginQuery: Begin}); err != nil {
		return err
	}
	if err := d.lock(); err != nil {
		return d.rollBack(err)
	}
	if _, err = d.tx.Exec(d.ctx, "DELETE FROM public.schema_migrations"); err != nil {
		return d.rollBack(err)
	}
	if version == database.NilVersion {
		return nil
	}
	if _, err = d.tx.Exec(d.ctx, "INSERT INTO public.schema_migrations (version, dirty) VALUES ($1, false)", version); err != nil {
		return d.rollBack(err)
	}
	return nil
}

// lock takes the migration lock, and then looks whether the version is still the same.
func (d *atomicDriver) lock() error {
	if err := LockTx(d.ctx, d.tx, migrationLock); err != nil {
		return err
	}
	if _, err := d.tx.Exec(d.ctx, createVersionTable); err != nil {
		return err
	}
	version, _, err := readVersion(d.ctx, d.tx)
	if err == nil && atLeastNil(version) != d.from {
		err = errMoved
	}
	return err
}

func (d *atomicDriver) Run(migration io.Reader) error {
	sql, err := io.ReadAll(migration)
	if err != nil {
		return d.rollBack(err)
	}
	// Without arguments pgx sends any number of statements as one simple query.
	if _, err := d.conn.Exec(d.ctx, string(sql)); err != nil {
		return d.rollBack(err)
	}
	if d.conn.PgConn().TxStatus() != 'T' {
		return d.errMigration(errors.New("a migration must not begin or end a transaction: it runs in one, together with its version"))
	}
	return nil
}

// rollBack reverts what the migration did, and its version, and returns cause.
func (d *atomicDriver) rollBack(cause error) error {
	detached, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), rollbackTimeout)
	defer cancel()
	return errors.Join(d.errMigration(cause), d.tx.Rollback(detached))
}

func (d *atomicDriver) errMigration(cause error) error {
	return fmt.Errorf("migration to version %d: %w", d.version, cause)
}

func (d *atomicDriver) Version() (int, bool, error) {
	version, dirty, err := readVersion(d.ctx, d.conn)
	d.from = atLeastNil(version)
	return d.from, dirty, err
}

// atLeastNil is a version as golang-migrate counts, for which 0 is one.
func atLeastNil(version uint) int {
	if version == 0 {
		return database.NilVersion
	}
	return int(version)
}

// Lock and Unlock do nothing: each transaction takes the migration lock.
func (d *atomicDriver) Lock() error   { return nil }
func (d *atomicDriver) Unlock() error { return nil }

// Open, Close and Drop are for drivers that golang-migrate opens by URL.
func (d *atomicDriver) Open(string) (database.Driver, error) { return nil, errors.ErrUnsupported }
func (d *atomicDriver) Close() error                         { return nil }
func (d *atomicDriver) Drop() error                          { return errors.ErrUnsupported }

// createVersionTable makes golang-migrate's table, so that its command-line tool
// works as well.
const createVersionTable = `CREATE TABLE IF NOT EXISTS public.schema_migrations (
	version bigint NOT NULL PRIMARY KEY,
	dirty boolean NOT NULL
)`
