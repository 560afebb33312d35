package account

import (
	"context"

	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
)

// DeleteMe anonymises the caller for good, revokes all their tokens and calls
// OnDelete. The row stays, because bookings and ledgers name its id, and because
// concurrent requests that lock it must find it deleted. If it is deleted already,
// that is fault.TokenInvalid.
func (s *Service) DeleteMe(ctx context.Context, caller access.Caller) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		q := db.New()
		if _, err := q.UserLock(ctx, tx, caller.UserID); err != nil {
			return errCallerDeleted(err)
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
