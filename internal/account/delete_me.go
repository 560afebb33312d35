package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
)

// DeleteMe anonymises the caller for good, revokes all their tokens and calls
// OnDelete. A wrong password is fault.ValidationFailed or fault.LoginThrottled. The last
// administrator is fault.LastAdministrator, an organizer whose
// events are still to come fault.OrganizerHasEvents. The row stays, because bookings
// and ledgers name its id, and because concurrent requests that lock it must find it
// deleted. If it is deleted already, that is fault.TokenInvalid.
func (s *Service) DeleteMe(ctx context.Context, caller access.Caller, password string) error {
	confirmed, err := s.confirm(ctx, caller, password)
	if err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		q := db.New()
		if _, err := q.UserLockWithAdmins(ctx, tx, []uuid.UUID{caller.UserID}); err != nil {
			return err
		}
		user, err := q.UserFind(ctx, tx, caller.UserID)
		if err != nil {
			return errCallerDeleted(err)
		}
		if err := confirmed.checkUnchanged(user); err != nil {
			return err
		}
		if err := checkDispensableTx(ctx, tx, user); err != nil {
			return err
		}
		if err := q.UserAnonymise(ctx, tx, caller.UserID); err != nil {
			return err
		}
		if err := q.TokensDelete(ctx, tx, caller.UserID); err != nil {
			return err
		}
		return s.onDelete(ctx, tx, caller.UserID)
	})
}
