package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Read runs one query outside a transaction, on a connection that it waits for
// in bounded time, and again where the connection turns out to be lost, or where
// the database's default isolation makes it lose against others. What the
// database's state causes is a fault.
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
