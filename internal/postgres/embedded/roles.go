//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// superuser makes the roles and the database, and maintains them. The service does
	// not connect as it: whoever got SQL past the service could read files and run programs.
	superuser = "postgres"
	// serviceRole owns the service's database, and nothing else.
	serviceRole = "eventbooking"
	// renamer is a superuser for a moment: nobody can rename the role that they connect as.
	renamer = "eventbooking_renamer"

	// noSuchRole is the SQLSTATE of a server that trusts all roles that it has.
	noSuchRole = "28000"
)

// prepare makes the service's role and database on a new cluster. It fails if this
// PostgreSQL lacks btree_gist, which the exclusion constraint on overlapping bookings
// needs.
func (c *cluster) prepare(ctx context.Context) error {
	conn, err := c.connectAdmin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var extension, role, database, left bool
	if err := conn.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'btree_gist'),
		       EXISTS (SELECT FROM pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_database WHERE datname = $2),
		       EXISTS (SELECT FROM pg_roles WHERE rolname = $3)`, serviceRole, databaseName, renamer).
		Scan(&extension, &role, &database, &left); err != nil {
		return err
	}
	if !extension {
		return fmt.Errorf("the PostgreSQL in %s lacks the extension btree_gist: install its contrib package, "+
			"or set DATABASE_URL", c.programs.dir)
	}
	for _, step := range []struct {
		isNeeded  bool
		statement string
	}{
		{left, "DROP ROLE " + renamer},
		{!role, "CREATE ROLE " + serviceRole + " LOGIN"},
		{!database, "CREATE DATABASE " + databaseName + " OWNER " + serviceRole}, // the last one, because guests wait for it
	} {
		if !step.isNeeded {
			continue
		}
		if _, err := conn.Exec(ctx, step.statement); err != nil {
			return fmt.Errorf("%s: %w", step.statement, err)
		}
	}
	return nil
}

// connectAdmin connects as the superuser, after it has made the data of an earlier
// version have one.
func (c *cluster) connectAdmin(ctx context.Context) (*pgx.Conn, error) {
	conn, err := c.connect(ctx, superuser, "postgres")
	if !isNoSuchRole(err) {
		return conn, err
	}
	if err := c.demoteService(ctx); err != nil {
		return nil, fmt.Errorf("take the rights of a superuser from the service's role: %w", err)
	}
	return c.connect(ctx, superuser, "postgres")
}

func isNoSuchRole(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == noSuchRole
}

// demoteService changes a cluster of an earlier version, in which the service's role is
// the only superuser. Its rights go to a role with another name, and its database and
// all that is in it to a new role with the old name: an earlier version, which may run
// beside this one, connects by that name as well, and needs no more than an owner.
func (c *cluster) demoteService(ctx context.Context) error {
	if err := c.exec(ctx, serviceRole, "postgres", `
		DO $$ BEGIN
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '`+renamer+`') THEN
				CREATE ROLE `+renamer+` SUPERUSER LOGIN;
			END IF;
		END $$`); err != nil {
		return err
	}
	conn, err := c.connect(ctx, renamer, databaseName)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '10s';"+
			"ALTER ROLE "+serviceRole+" RENAME TO "+superuser+";"+
			"CREATE ROLE "+serviceRole+" LOGIN;"+
			"ALTER DATABASE "+databaseName+" OWNER TO "+serviceRole+";"+giveAll)
		return err
	})
}

// giveAll gives the service's role what the superuser owns in the schemas of the service.
// What belongs to an extension, or to a column, follows its owner.
const giveAll = `
DO $$
DECLARE statement text;
BEGIN
	FOR statement IN
		WITH given AS (
			SELECT n.oid, n.nspname FROM pg_namespace n WHERE n.nspname = 'public' OR n.nspname = 'river'
		)
		SELECT format('ALTER SCHEMA %I OWNER TO ` + serviceRole + `', nspname) FROM given WHERE nspname <> 'public'
		UNION ALL
		SELECT format('ALTER %s %I.%I OWNER TO ` + serviceRole + `',
		              CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, g.nspname, c.relname)
		FROM pg_class c JOIN given g ON g.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
		  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
		UNION ALL
		SELECT format('ALTER ROUTINE %s OWNER TO ` + serviceRole + `', p.oid::regprocedure)
		FROM pg_proc p JOIN given g ON g.oid = p.pronamespace
		WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
		UNION ALL
		SELECT format('ALTER TYPE %I.%I OWNER TO ` + serviceRole + `', g.nspname, t.typname)
		FROM pg_type t JOIN given g ON g.oid = t.typnamespace
		WHERE (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
		  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
	LOOP
		EXECUTE statement;
	END LOOP;
END $$`
