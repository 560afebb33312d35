package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Read runs one query outside a transaction, on a connection that it waits for
// in bounded time. What the database's state causes is a fault.
func Read[T any](ctx context.Context, pool *pgxpool.Pool, query func(conn *pgxpool.Conn) (T, error)) (result T, err error) {
	conn, err := Acquire(ctx, pool)
	if err != nil {
		return result, err
	}
	defer conn.Release()
	result, err = query(conn)
	return result, Translate(err)
}
