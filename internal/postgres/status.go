package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/golang-migrate/migrate/v4/source"
	"github.com/jackc/pgx/v5"
)

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

func (m migrator) status(ctx context.Context, q querier) (Status, error) {
	var s Status
	var err error
	if s.Latest, err = m.latest(); err != nil {
		return s, err
	}
	s.RiverLatest = RiverVersion()
	if s.Version, s.Dirty, err = readVersion(ctx, q); err != nil {
		return s, Translate(err)
	}
	if !s.Dirty {
		if err := m.checkTables(ctx, q, s.Version); err != nil {
			return s, Translate(err)
		}
	}
	s.River, err = riverVersion(ctx, q)
	return s, Translate(err)
}

// readVersion reads golang-migrate's table.
func readVersion(ctx context.Context, q querier) (version uint, dirty bool, err error) {
	const table = "public.schema_migrations"
	// The catalogue can be read without privileges, to_regclass cannot.
	columns, err := Column(ctx, q, `
		SELECT a.attname || ' ' || format_type(a.atttypid, NULL)
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'public' AND c.relname = 'schema_migrations' AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY a.attname`)
	switch {
	case err != nil || len(columns) == 0:
		return 0, false, err
	case !slices.Equal(columns, []string{"dirty boolean", "version bigint"}):
		return 0, false, fmt.Errorf("%w: its table %s is another program's: use a database of its own", ErrUnsuitable, table)
	}
	// golang-migrate writes -1 if the first migration failed half-way back.
	err = q.QueryRow(ctx, "SELECT greatest(version, 0), dirty FROM "+table+" LIMIT 1").Scan(&version, &dirty)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return version, dirty, errMissing(ctx, q, err, "SELECT on "+table)
}

// riverVersion reads River's own table: its Go API fails on the versions of a newer
// River.
func riverVersion(ctx context.Context, q querier) (version int, err error) {
	const table = RiverSchema + ".river_migration"
	var exists bool
	if err := q.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		               WHERE n.nspname = $1 AND c.relname = 'river_migration')`, RiverSchema).Scan(&exists); err != nil || !exists {
		return 0, err
	}
	err = q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+table+" WHERE line = 'main'").Scan(&version)
	return version, errMissing(ctx, q, err, "USAGE on schema "+RiverSchema+" and SELECT on "+table)
}

// checkTables returns an error if a table is missing that our migrations up to a
// version make. golang-migrate serves many programs: the version may be of another.
func (m migrator) checkTables(ctx context.Context, q querier, version uint) error {
	wanted, err := m.tables(version)
	if err != nil || len(wanted) == 0 {
		return err
	}
	missing, err := Column(ctx, q, `
		SELECT t.name FROM unnest($1::text[]) t (name)
		WHERE NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		                  WHERE n.nspname = 'public' AND c.relname = t.name)
		ORDER BY t.name`, wanted)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%w: public.schema_migrations says version %d, but there is no table %s: if the version is another "+
			"program's, use a database of its own; if tables were lost, restore them", ErrUnsuitable, version, strings.Join(missing, ", "))
	}
	return err
}

var madeOrDropped = regexp.MustCompile(`(?im)^\s*(CREATE|DROP) TABLE (?:IF (?:NOT )?EXISTS )?(?:public\.)?(\w+)`)

// tables are the tables that our migrations up to a version make, and keep.
func (m migrator) tables(version uint) ([]string, error) {
	names, err := fs.Glob(m.files, "migrations/*.up.sql")
	if err != nil {
		return nil, err
	}
	var tables []string
	for _, name := range names { // sorted, and so in order
		file, err := source.Parse(strings.TrimPrefix(name, "migrations/"))
		if err != nil {
			return nil, err
		}
		if file.Version > version {
			break
		}
		sql, err := fs.ReadFile(m.files, name)
		if err != nil {
			return nil, err
		}
		for _, found := range madeOrDropped.FindAllStringSubmatch(string(sql), -1) {
			tables = slices.DeleteFunc(tables, func(t string) bool { return t == found[2] })
			if strings.EqualFold(found[1], "CREATE") {
				tables = append(tables, found[2])
			}
		}
	}
	return tables, nil
}
