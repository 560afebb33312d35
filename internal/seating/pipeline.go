package seating

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"eventbooking/gen/db"
)

// pipeline is one round trip: statements that are sent together and answered
// together. After one that fails, the server skips the rest.
type pipeline struct{ batch pgx.Batch }

// collect queues a query of db/queries and scans its rows into its row type.
func collect[T any](p *pipeline, into *[]T, sql string, args ...any) {
	scan := pgx.RowToStructByPos[T]
	if _, scalar := any(*new(T)).(uuid.UUID); scalar {
		scan = pgx.RowTo[T]
	}
	p.batch.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, scan)
		return err
	})
}

// send runs what was queued.
func (p *pipeline) send(ctx context.Context, conn *pgx.Conn) error {
	return conn.SendBatch(ctx, &p.batch).Close()
}

// Exec queues instead of executing, which lets sqlc's :exec methods write into a
// pipeline with their typed parameters.
func (p *pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// Query and QueryRow complete db.DBTX; reading goes through collect.
func (p *pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, fmt.Errorf("a pipeline answers when it is sent")
}

func (p *pipeline) QueryRow(context.Context, string, ...any) pgx.Row {
	panic("a pipeline answers when it is sent")
}

var _ db.DBTX = (*pipeline)(nil)
