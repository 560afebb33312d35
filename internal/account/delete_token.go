package account

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
)

// DeleteToken revokes one of the caller's tokens, and those that were made with it. If they
// have no token with this id, that is fault.NotFound.
func (s *Service) DeleteToken(ctx context.Context, caller access.Caller, tokenID uuid.UUID) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		// Otherwise a token that is being made with this one could not name its parent.
		if _, err := db.New().UserLock(ctx, tx, caller.UserID); errors.Is(err, pgx.ErrNoRows) {
			return errNoToken()
		} else if err != nil {
			return err
		}
		n, err := db.New().TokenDelete(ctx, tx, db.TokenDeleteParams{ID: tokenID, UserID: caller.UserID})
		if err == nil && n == 0 {
			return errNoToken()
		}
		return err
	})
}
