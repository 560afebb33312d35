package account

import (
	"context"

	"eventbooking/gen/db"
)

// Me is the caller.
func (s *Service) Me(ctx context.Context, caller Caller) (User, error) {
	row, err := read(ctx, s.pool, func(conn db.DBTX) (db.User, error) {
		return db.New().UserFind(ctx, conn, caller.UserID)
	})
	if err != nil {
		return User{}, gone(err)
	}
	return userOf(row), nil
}
