package account

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
)

// Me returns the caller's user. If it was deleted meanwhile, that is
// fault.TokenInvalid.
func (s *Service) Me(ctx context.Context, caller access.Caller) (User, error) {
	row, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) {
		return db.New().UserFind(ctx, conn, caller.UserID)
	})
	if err != nil {
		return User{}, errCallerDeleted(err)
	}
	return userOf(row), nil
}
