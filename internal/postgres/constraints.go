package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// Violates tells whether an error is the refusal of the named constraint or
// unique index. Names are ours, messages are PostgreSQL's and translated.
func Violates(err error, constraint string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.ConstraintName == constraint
}
