//go:build unix

// Package size measures how the service grows: it fills a small and a large database
// of the same proportions, and compares what reads, the statements of bookings, and
// the doctor cost on them.
package size

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// statements fill a database; plan.sql says with what.
//
//go:embed sql/*.sql
var statements embed.FS

// files are those statements in order. The ledger comes first: slots and bookings
// have the versions that it counted.
var files = []string{"indexes", "plan", "ledger", "users", "events", "slots", "bookings"}

// fillSettings make a session fast. Without triggers and foreign keys the rows must be
// right by themselves; the doctor says whether they are.
var fillSettings = map[string]string{
	"session_replication_role": "replica", "synchronous_commit": "off", "jit": "off",
	"work_mem": "256MB", "maintenance_work_mem": "512MB",
}

// MinEvents is the size from which a database has every kind of row.
const MinEvents = 50

var errNotEmpty = errors.New("the database has events already; an empty one is filled")

// Fill fills a migrated, empty database with a number of events, about three slots,
// 1.4 bookings and ten entries of the ledger for each, and all else in proportion. It
// must be a superuser's. Before each step it calls tell.
func Fill(ctx context.Context, url string, events int, tell func(step string, done, total int)) error {
	if events < MinEvents {
		return fmt.Errorf("%d events are too few: it takes %d to have every kind of row", events, MinEvents)
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	for name, value := range fillSettings {
		config.RuntimeParams[name] = value
	}
	config.RuntimeParams["fill.events"] = strconv.Itoa(events)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	var filled bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM events)").Scan(&filled); err != nil {
		return err
	}
	if filled {
		return errNotEmpty
	}
	return fill(ctx, conn, tell)
}

func fill(ctx context.Context, conn *pgx.Conn, tell func(step string, done, total int)) error {
	run := func(step, sql string) error {
		if _, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		return nil
	}
	for i, file := range files {
		tell(file, i, len(files))
		sql, err := statements.ReadFile("sql/" + file + ".sql")
		if err != nil {
			return err
		}
		if err := run(file, string(sql)); err != nil {
			return err
		}
	}
	rows, err := conn.Query(ctx, "SELECT name, make FROM fill.indexes ORDER BY name")
	if err != nil {
		return err
	}
	indexes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Name, Make string }])
	if err != nil {
		return err
	}
	for i, index := range indexes {
		tell(index.Name, i, len(indexes))
		if err := run(index.Name, index.Make); err != nil {
			return err
		}
	}
	tell("vacuum", 0, 1)
	// Dropped first, so that nothing of it is vacuumed.
	return errors.Join(run("drop the plan", "DROP SCHEMA fill CASCADE"), run("vacuum", "VACUUM ANALYZE"))
}

// closeLimit bounds the end of a session whose work is done or given up.
const closeLimit = 5 * time.Second

func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	_ = conn.Close(ctx)
}
