package account

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// SetRole lets an administrator change somebody else's role. Nobody changes their
// own, so that the last administrator cannot lock everybody out; nor can the last
// two do it to each other: both are locked, and only who still is one may go on.
func (s *Service) SetRole(ctx context.Context, caller access.Caller, userID uuid.UUID, role access.Role) (User, error) {
	if caller.UserID == userID {
		return User{}, fault.NotPermitted.New("Nobody changes his own role; another administrator can.")
	}
	var user User
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		q := db.New()
		if _, err := q.UsersLock(ctx, tx, []uuid.UUID{caller.UserID, userID}); err != nil {
			return err
		}
		admin, err := q.UserFind(ctx, tx, caller.UserID)
		if err != nil {
			return gone(err)
		}
		if access.Role(admin.Role) != access.Admin {
			return fault.NotPermitted.New("Only administrators change roles.")
		}
		row, err := q.UserFind(ctx, tx, userID)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.NotFound.New("There is no such user.")
		}
		if err == nil && access.Role(row.Role) != role {
			row, err = q.UserUpdate(ctx, tx, db.UserUpdateParams{ID: row.ID, Email: row.Email, Name: row.Name, Role: string(role)})
		}
		user = userOf(row)
		return err
	})
	return user, err
}
