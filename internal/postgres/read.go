package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ReadTimeout is the StatementTimeout for pools that serve requests: less than a request
// may take, so that the server has stopped when the client gets an answer.
const ReadTimeout = 8 * time.Second

// Read runs query, which may be repeated, outside a transaction and returns its
// result. It runs query again, up to Retries times, when the connection is lost, or
// when the query loses against concurrent transactions, which happens if the
// database's default isolation is serializable. So query must change no variable
// outside itself: its result is what it returns. Errors go through Translate.
func Read[T any](ctx context.Context, pool *pgxpool.Pool, query func(conn *pgxpool.Conn) (T, error)) (T, error) {
	for try := 0; ; try++ {
		result, err := read(ctx, pool, query)
		if try == Retries || !Lost(err) && !Retryable(err) || Backoff(ctx, try) != nil {
			return result, Translate(err)
		}
	}
}

func read[T any](ctx context.Context, pool *pgxpool.Pool, query func(conn *pgxpool.Conn) (T, error)) (result T, err error) {
	conn, err := Acquire(ctx, pool)
	if err != nil {
		return result, err
	}
	defer conn.Release()
	return query(conn)
}

// querier is a connection, a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Column returns the only column of a query.
func Column(ctx context.Context, q querier, sql string, args ...any) ([]string, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
