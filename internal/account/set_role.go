package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// SetRole changes another user's role, as an administrator. A caller who is no longer
// one, and changing one's own role, are fault.NotPermitted; demoting the last
// administrator is fault.LastAdministrator, also where two demote each other at once;
// making an attendee of an organizer whose events are still to come is
// fault.OrganizerHasEvents; an unknown or deleted user is fault.NotFound.
func (s *Service) SetRole(ctx context.Context, caller access.Caller, userID uuid.UUID, role access.Role) (User, error) {
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (User, error) {
		q := db.New()
		if _, err := q.UserLockWithAdmins(ctx, tx, []uuid.UUID{caller.UserID, userID}); err != nil {
			return User{}, err
		}
		admin, err := q.UserFind(ctx, tx, caller.UserID)
		if err != nil {
			return User{}, errCallerDeleted(err)
		}
		if access.Role(admin.Role) != access.Admin {
			return User{}, fault.NotPermitted.New("Only administrators can change roles.")
		}
		user, err := setRoleTx(ctx, tx, userID, role)
		if err == nil && caller.UserID == userID {
			err = fault.NotPermitted.New("You cannot change your own role; another administrator can.")
		}
		return user, err
	})
}

// SetRoleByEmail is SetRole for whoever operates the service.
func (s *Service) SetRoleByEmail(ctx context.Context, email string, role access.Role) (User, error) {
	found, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) { return FindByEmail(ctx, conn, email) })
	if err != nil {
		return User{}, errNoUser(err)
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (User, error) {
		if _, err := db.New().UserLockWithAdmins(ctx, tx, []uuid.UUID{found.ID}); err != nil {
			return User{}, err
		}
		return setRoleTx(ctx, tx, found.ID, role)
	})
}

// setRoleTx changes a user's role. The user and all administrators are locked.
func setRoleTx(ctx context.Context, tx pgx.Tx, userID uuid.UUID, role access.Role) (User, error) {
	row, err := db.New().UserFind(ctx, tx, userID)
	if err != nil {
		return User{}, errNoUser(err)
	}
	if access.Role(row.Role) == role {
		return userOf(row), nil
	}
	if err := checkNotLastAdminTx(ctx, tx, row); err != nil {
		return User{}, err
	}
	if role == access.Attendee {
		if err := checkNoEventsAheadTx(ctx, tx, userID); err != nil {
			return User{}, err
		}
	}
	row, err = db.New().UserSetRole(ctx, tx, db.UserSetRoleParams{ID: row.ID, Role: string(role)})
	return userOf(row), err
}
