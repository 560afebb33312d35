package seed

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/postgres"
)

// ErrOthersData refuses a database that holds more than the seeder made.
var ErrOthersData = errors.New("the database holds data that the seeder did not make; --fresh deletes it and seeds anew")

// emptyTx deletes everything, whatever rooms keep it in, but the record of the
// migrations. The ledger refuses that by a trigger, so whoever does it must own
// the ledger: the service's own user need not.
func emptyTx(ctx context.Context, tx pgx.Tx) error {
	tables, err := list(ctx, tx, `
		SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
		WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
		   OR schemaname = $1 AND tablename = 'river_job'`, postgres.RiverSchema)
	if err != nil {
		return err
	}
	return execTx(ctx, tx, nil,
		"ALTER TABLE ledger DISABLE TRIGGER ledger_no_truncate",
		"TRUNCATE "+strings.Join(tables, ", "),
		"ALTER TABLE ledger ENABLE TRIGGER ledger_no_truncate")
}

// bulk is what slows writing millions of rows down, taken away for that time: the
// indexes, the constraints that rest on them, and a trigger whose work the seeder
// does itself. They come back, over all the rows, before the transaction ends; so
// nobody ever sees the tables without them, and rows that break them are refused.
type bulk struct{ restore []string }

// bulkScale is from which scale on that is worth it.
const bulkScale = 10

func beginBulkTx(ctx context.Context, tx pgx.Tx, scale int) (bulk, error) {
	if scale < bulkScale {
		return bulk{}, nil
	}
	// Foreign keys go before the keys that they refer to, and come back after them.
	const constraints = `
		FROM pg_constraint c
		WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'x', 'f')
		  AND c.conrelid <> 'schema_migrations'::regclass`
	const indexes = `
		FROM pg_index i
		WHERE i.indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
		  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)`
	drops, err := list(ctx, tx, `
		SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)`+constraints+`
		ORDER BY c.contype <> 'f', c.conname`)
	if err != nil {
		return bulk{}, err
	}
	dropIndexes, err := list(ctx, tx, `SELECT format('DROP INDEX %s', i.indexrelid::regclass)`+indexes)
	if err != nil {
		return bulk{}, err
	}
	restore, err := list(ctx, tx, `
		SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))`+constraints+`
		ORDER BY c.contype = 'f', c.conname`)
	if err != nil {
		return bulk{}, err
	}
	restoreIndexes, err := list(ctx, tx, `SELECT pg_get_indexdef(i.indexrelid)`+indexes)
	if err != nil {
		return bulk{}, err
	}
	const trigger = "ALTER TABLE slots %s TRIGGER slots_event_span_joined"
	statements := append(append(drops, dropIndexes...), fmt.Sprintf(trigger, "DISABLE"))
	if err := execTx(ctx, tx, nil, statements...); err != nil {
		return bulk{}, err
	}
	return bulk{append(append(restoreIndexes, restore...), fmt.Sprintf(trigger, "ENABLE"))}, nil
}

// endTx brings back what was taken away, and says before each of them what comes.
func (b bulk) endTx(ctx context.Context, tx pgx.Tx, tell func(statement string)) error {
	if len(b.restore) == 0 {
		return nil
	}
	if err := execTx(ctx, tx, nil, "SET LOCAL maintenance_work_mem = '256MB'"); err != nil {
		return err
	}
	return execTx(ctx, tx, tell, b.restore...)
}

// list reads one column of text.
func list(ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]string, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func execTx(ctx context.Context, tx pgx.Tx, tell func(statement string), statements ...string) error {
	for _, statement := range statements {
		if tell != nil {
			tell(statement)
		}
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
