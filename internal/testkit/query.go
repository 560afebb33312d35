//go:build unix

package testkit

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// ExecOn runs one statement on a new connection. It returns the error of
// connecting, too: that is how a test sees that a server is down.
func ExecOn(url, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// QueryOn reads one value on a new connection.
func QueryOn[T any](t testing.TB, url, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	must(t, conn.QueryRow(t.Context(), sql).Scan(&value))
	return value
}
