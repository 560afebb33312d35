package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"eventbooking/db"
)

// ErrPrivilege means that the role that connects lacks privileges. The errors that
// wrap it name the role, what it lacks, and what to do.
var ErrPrivilege = errors.New("missing privileges")

const grantAdvice = "let the owner of the tables run eventbooking migrate up --runtime-role NAME"

// What a role may do with the rows of all tables.
var (
	ReadRows  = []string{"SELECT"}
	WriteRows = []string{"SELECT", "INSERT", "UPDATE", "DELETE"}
)

// CheckPrivileges returns ErrPrivilege if the role that connects to a migrated
// database may not do with the rows of the service's tables what is wanted: ReadRows
// or WriteRows.
func CheckPrivileges(ctx context.Context, address string, wanted []string) error {
	pool, err := Open(ctx, address, PoolOptions{MaxConns: 1, Name: "eventbooking check"})
	if err != nil {
		return err
	}
	defer pool.Close()
	m := migrator{files: db.Migrations}
	latest, err := m.latest()
	if err != nil {
		return err
	}
	tables, err := m.tables(latest)
	if err != nil {
		return err
	}
	missing, err := Column(ctx, pool, ours+missingPrivileges, RiverSchema, tables, wanted, slices.Contains(wanted, "INSERT"))
	if err != nil {
		return Translate(err)
	}
	return errLacks(ctx, pool, missing, grantAdvice)
}

// OwnsRiver reports whether the role that connects owns River's tables, and so may
// rebuild their indexes.
func OwnsRiver(ctx context.Context, address string) (bool, error) {
	pool, err := Open(ctx, address, PoolOptions{MaxConns: 1, Name: "eventbooking check"})
	if err != nil {
		return false, err
	}
	defer pool.Close()
	var owns bool
	err = pool.QueryRow(ctx, `
		SELECT bool_and(pg_has_role(c.relowner, 'USAGE')) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relkind = 'r' HAVING count(*) > 0`, RiverSchema).Scan(&owns)
	return owns, Translate(err)
}

// missingPrivileges lists what the current role lacks of what is wanted ($3). It reads the
// catalogue only, for which nobody needs a privilege.
const missingPrivileges = `
SELECT format('USAGE on schema %I', nspname) FROM pg_namespace
WHERE nspname IN ('public', $1) AND NOT has_schema_privilege(oid, 'USAGE')
UNION ALL
SELECT format('%s on %I.%I', string_agg(privilege, ', ' ORDER BY place), nspname, relname)
FROM ours, unnest($3::text[]) WITH ORDINALITY p (privilege, place)
WHERE relkind IN ('r', 'p') AND privilege = ANY (needed) AND NOT has_table_privilege(oid, privilege)
GROUP BY nspname, relname
UNION ALL
SELECT format('USAGE on sequence %I.%I', nspname, relname) FROM ours
WHERE $4 AND CASE WHEN relkind = 'S' THEN NOT has_sequence_privilege(oid, 'USAGE') END`

// checkMayMigrate returns ErrPrivilege if the role that connects may not bring the
// database to its latest version.
func checkMayMigrate(ctx context.Context, q DB, s Status) error {
	missing, err := Column(ctx, q, `
		SELECT format('CREATE on database %I', current_database())
		WHERE NOT has_database_privilege(current_database(), 'CREATE')
		  AND (NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)
		       OR NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gist'))
		UNION ALL
		SELECT format('CREATE on schema %I', nspname) FROM pg_namespace
		WHERE (nspname = 'public' AND $2 OR nspname = $1) AND NOT has_schema_privilege(oid, 'CREATE')
		UNION ALL
		SELECT format('ownership of %I.%I', n.nspname, c.relname)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE (n.nspname = 'public' AND c.relname = 'schema_migrations' AND $2 OR n.nspname = $1 AND c.relname = 'river_job')
		  AND NOT pg_has_role(c.relowner, 'USAGE')`, RiverSchema, s.Version < s.Latest)
	if err != nil {
		return err
	}
	return errLacks(ctx, q, missing, fmt.Sprintf("the schema has version %d of %d, River's %d of %d: let a role that may do this run eventbooking migrate up",
		s.Version, s.Latest, s.River, s.RiverLatest))
}

// errMissing adds to the error of a refused statement who lacks what.
func errMissing(ctx context.Context, q DB, err error, privilege string) error {
	if sqlState(err) != insufficientPrivilege {
		return err
	}
	return errLacks(ctx, q, []string{privilege}, grantAdvice)
}

func errLacks(ctx context.Context, q DB, missing []string, advice string) error {
	if len(missing) == 0 {
		return nil
	}
	var role string
	if err := q.QueryRow(ctx, "SELECT current_user::text").Scan(&role); err != nil {
		return Translate(err)
	}
	return fmt.Errorf("%w: the role %s lacks %s: %s", ErrPrivilege, pgx.Identifier{role}.Sanitize(), strings.Join(missing, "; "), advice)
}
