package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// Violates reports whether an error is a violation of the named constraint or
// unique index. It compares the name because messages are translated.
func Violates(err error, constraint string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.ConstraintName == constraint
}
