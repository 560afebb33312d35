package seed

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/postgres"
)

// ErrOthersData is returned for a database with data that was not seeded.
var ErrOthersData = errors.New("the database contains data that was not seeded; use --fresh to delete all data and seed again")

// ErrNotOwner is returned to a role that may not delete all data, nor drop indexes for
// a large scale.
var ErrNotOwner = errors.New("deleting all data, and large scales, need the owner of the tables: seed as the role that migrates")

// emptyTx deletes all data but the versions of the migrations. It disables the trigger
// that protects the ledger, so the database user must own the ledger; the service's
// user need not.
func emptyTx(ctx context.Context, tx pgx.Tx) error {
	if err := checkOwner(ctx, tx); err != nil {
		return err
	}
	tables, err := postgres.Column(ctx, tx, `
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

func checkOwner(ctx context.Context, tx pgx.Tx) error {
	var isOwner bool
	err := tx.QueryRow(ctx, "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'ledger'::regclass").Scan(&isOwner)
	if err == nil && !isOwner {
		err = ErrNotOwner
	}
	return err
}

// bulk drops what makes writing millions of rows slow: the indexes, the constraints
// that use them, and a trigger whose work the seeder does itself. They are restored,
// for all rows, before the transaction ends; so nobody ever sees the tables without
// them, and rows that violate them are refused.
type bulk struct{ restore []string }

// bulkScale is the scale from which that is faster.
const bulkScale = 10

func beginBulkTx(ctx context.Context, tx pgx.Tx, scale int) (bulk, error) {
	if scale < bulkScale {
		return bulk{}, nil
	}
	if err := checkOwner(ctx, tx); err != nil {
		return bulk{}, err
	}
	// Foreign keys are dropped before the keys that they refer to, and restored after.
	const constraints = `
		FROM pg_constraint c
		WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'x', 'f')
		  AND c.conrelid <> 'schema_migrations'::regclass`
	const indexes = `
		FROM pg_index i
		WHERE i.indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
		  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)`
	drops, err := postgres.Column(ctx, tx, `
		SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)`+constraints+`
		ORDER BY c.contype <> 'f', c.conname`)
	if err != nil {
		return bulk{}, err
	}
	dropIndexes, err := postgres.Column(ctx, tx, `SELECT format('DROP INDEX %s', i.indexrelid::regclass)`+indexes)
	if err != nil {
		return bulk{}, err
	}
	restore, err := postgres.Column(ctx, tx, `
		SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))`+constraints+`
		ORDER BY c.contype = 'f', c.conname`)
	if err != nil {
		return bulk{}, err
	}
	restoreIndexes, err := postgres.Column(ctx, tx, `SELECT pg_get_indexdef(i.indexrelid)`+indexes)
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

// endTx restores what was dropped. It calls onStatement before each statement.
func (b bulk) endTx(ctx context.Context, tx pgx.Tx, onStatement func(statement string)) error {
	if len(b.restore) == 0 {
		return nil
	}
	if err := execTx(ctx, tx, nil, "SET LOCAL maintenance_work_mem = '256MB'"); err != nil {
		return err
	}
	return execTx(ctx, tx, onStatement, b.restore...)
}

// execTx executes statements. It calls onStatement, unless nil, before each.
func execTx(ctx context.Context, tx pgx.Tx, onStatement func(statement string), statements ...string) error {
	for _, statement := range statements {
		if onStatement != nil {
			onStatement(statement)
		}
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}
