package desk

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"eventbooking/gen/db"
)

// pipeline is one round trip: statements that are sent together. After one that
// fails, the server skips the rest.
//
// sqlc's methods make one round trip each. To keep their typed parameters and rows,
// each reading method runs twice: first against a recorder, which notes its SQL and
// arguments for the batch, then against the rows that came back. Using the texts of
// the queries with positional arguments was a little shorter, but swapped arguments
// compiled.
type pipeline struct{ batch pgx.Batch }

// read queues a query. When the pipeline is sent, its rows are stored in into.
func read[P, T any](p *pipeline, into *T, query func(context.Context, db.DBTX, P) (T, error), params P) {
	var r recorder
	if _, err := query(context.Background(), &r, params); !errors.Is(err, errRecorded) {
		panic("a query did not reach the database")
	}
	p.batch.Queue(r.sql, r.args...).Query(func(rows pgx.Rows) (err error) {
		*into, err = query(context.Background(), answer{rows}, params)
		return err
	})
}

// send runs what was queued.
func (p *pipeline) send(ctx context.Context, conn *pgx.Conn) error {
	return conn.SendBatch(ctx, &p.batch).Close()
}

// Exec queues a statement: sqlc's :exec methods write into the pipeline.
func (p *pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// Query and QueryRow complete db.DBTX; reading goes through read.
func (p *pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errors.New("a pipeline answers when it is sent")
}

// QueryRow: see Query.
func (p *pipeline) QueryRow(context.Context, string, ...any) pgx.Row {
	panic("a pipeline answers when it is sent")
}

// errRecorded ends a method that ran against a recorder.
var errRecorded = errors.New("recorded")

// recorder notes the statement of a method instead of running it.
type recorder struct {
	sql  string
	args []any
}

func (r *recorder) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	panic("read is for queries")
}

func (r *recorder) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	r.sql, r.args = sql, args
	return nil, errRecorded
}

func (r *recorder) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	r.sql, r.args = sql, args
	return recordedRow{}
}

type recordedRow struct{}

func (recordedRow) Scan(...any) error { return errRecorded }

// answer gives a method the rows that came back.
type answer struct{ rows pgx.Rows }

func (a answer) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	panic("read is for queries")
}

func (a answer) Query(context.Context, string, ...any) (pgx.Rows, error) { return a.rows, nil }

func (a answer) QueryRow(context.Context, string, ...any) pgx.Row { return firstRow(a) }

// firstRow is the first of some rows.
type firstRow answer

// Scan reads it; without one, the error is pgx.ErrNoRows.
func (r firstRow) Scan(into ...any) error {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	return r.rows.Scan(into...)
}
