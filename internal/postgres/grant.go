package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/db"
)

// Grant lets a role serve on a migrated database, and no more: it reads and writes rows,
// adds to tables that are append-only, and reads which migrations there are. What it had
// on the service's tables before is taken from it. The role that connects owns the
// tables. Grant returns ErrPrivilege, and changes nothing, if the role could do more all
// the same, such as a superuser.
func Grant(ctx context.Context, address, role string) error {
	return migrator{files: db.Migrations}.run(ctx, address, func(m migrator, ctx context.Context, pool *pgxpool.Pool) error {
		latest, err := m.latest()
		if err != nil {
			return err
		}
		tables, err := m.tables(latest)
		if err != nil {
			return err
		}
		// In one transaction, so that who serves meanwhile lacks nothing at any moment.
		return m.locked(ctx, pool, func(tx pgx.Tx) error { return grantTx(ctx, tx, role, tables) })
	})
}

func grantTx(ctx context.Context, tx pgx.Tx, role string, tables []string) error {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("the role %[1]s does not exist: CREATE ROLE %[1]s LOGIN PASSWORD '…' first", pgx.Identifier{role}.Sanitize())
	}
	statements, err := Column(ctx, tx, ours+grants, RiverSchema, tables, role)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	excess, err := Column(ctx, tx, ours+excessPrivileges, RiverSchema, tables, role)
	if err == nil && len(excess) > 0 {
		err = fmt.Errorf("%w: the role %s %s: use a role of its own", ErrPrivilege, pgx.Identifier{role}.Sanitize(), strings.Join(excess, ", "))
	}
	return err
}

// ours are the service's tables and sequences, with what is needed on them: tables with a
// trigger <table>_append_only only grow, and the migrations' own tables are only read. $1
// is River's schema, $2 the names of our tables.
const ours = `
WITH ours AS (
	SELECT c.oid, c.relkind, c.relowner, n.nspname, c.relname,
	       CASE WHEN c.relname = 'schema_migrations' OR n.nspname = $1 AND c.relname = 'river_migration' THEN '{SELECT}'
	            WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = c.relname || '_append_only') THEN '{SELECT,INSERT}'
	            ELSE '{SELECT,INSERT,UPDATE,DELETE}'
	       END::text[] AS needed
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = $1 OR n.nspname = 'public' AND (c.relname = ANY ($2) OR c.relname = 'schema_migrations')
)`

// grants are the statements that leave a role ($3) just what is needed. Temporary tables
// are taken from everybody: they hide others of the same name.
const grants = `
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database())
UNION ALL
SELECT format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC, %I', nspname, $3::text) FROM pg_namespace WHERE nspname IN ('public', $1)
UNION ALL
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, $3::text) FROM pg_namespace WHERE nspname IN ('public', $1)
UNION ALL
SELECT format('REVOKE ALL ON %I.%I FROM %I', nspname, relname, $3::text) FROM ours WHERE relkind IN ('r', 'p', 'S')
UNION ALL
SELECT format('GRANT %s ON %I.%I TO %I', array_to_string(needed, ', '), nspname, relname, $3::text) FROM ours WHERE relkind IN ('r', 'p')
UNION ALL
SELECT format('GRANT USAGE ON %I.%I TO %I', nspname, relname, $3::text) FROM ours WHERE relkind = 'S'`

// excessPrivileges lists what a role ($3) could do beyond that, by itself or as a member of
// another one.
const excessPrivileges = `
SELECT 'is a superuser' FROM pg_roles WHERE rolname = $3 AND rolsuper
UNION ALL
SELECT DISTINCT format('can act as %I, who owns tables', pg_get_userbyid(relowner)) FROM ours WHERE pg_has_role($3::text, relowner, 'MEMBER')
UNION ALL
SELECT format('may CREATE in the schema %I', nspname) FROM pg_namespace
WHERE nspname IN ('public', $1) AND has_schema_privilege($3::text, oid, 'CREATE')
UNION ALL
SELECT format('may CREATE in the database %I', current_database()) WHERE has_database_privilege($3::text, current_database(), 'CREATE')
UNION ALL
SELECT format('may %s on %I.%I', privilege, nspname, relname) FROM ours, unnest('{INSERT,UPDATE,DELETE,TRUNCATE,TRIGGER}'::text[]) p (privilege)
WHERE relkind IN ('r', 'p') AND privilege <> ALL (needed) AND has_table_privilege($3::text, oid, privilege)
  AND NOT pg_has_role($3::text, relowner, 'MEMBER')`
