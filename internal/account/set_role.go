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

// SetRole changes another user's role, as an administrator. Changing one's own role
// is fault.NotPermitted, so that the last administrator cannot lock everybody out.
// Nor can the last two demote each other: both rows are locked, and a caller who is
// no longer an administrator is fault.NotPermitted. An unknown or deleted user is
// fault.NotFound.
func (s *Service) SetRole(ctx context.Context, caller access.Caller, userID uuid.UUID, role access.Role) (User, error) {
	if caller.UserID == userID {
		return User{}, fault.NotPermitted.New("You cannot change your own role; another administrator can.")
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (User, error) {
		q := db.New()
		if _, err := q.UsersLock(ctx, tx, []uuid.UUID{caller.UserID, userID}); err != nil {
			return User{}, err
		}
		admin, err := q.UserFind(ctx, tx, caller.UserID)
		if err != nil {
			return User{}, errCallerDeleted(err)
		}
		if access.Role(admin.Role) != access.Admin {
			return User{}, fault.NotPermitted.New("Only administrators can change roles.")
		}
		row, err := q.UserFind(ctx, tx, userID)
		if errors.Is(err, pgx.ErrNoRows) {
			return User{}, errNoUser()
		}
		if err == nil && access.Role(row.Role) != role {
			row, err = q.UserSetRole(ctx, tx, db.UserSetRoleParams{ID: row.ID, Role: string(role)})
		}
		return userOf(row), err
	})
}
