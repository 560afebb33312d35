package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
)

// DeleteToken revokes one of the caller's tokens. If they have no token with this
// id, that is fault.NotFound.
func (s *Service) DeleteToken(ctx context.Context, caller access.Caller, tokenID uuid.UUID) error {
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		n, err := db.New().TokenDelete(ctx, tx, db.TokenDeleteParams{ID: tokenID, UserID: caller.UserID})
		if err == nil && n == 0 {
			return errNoToken()
		}
		return err
	})
}
