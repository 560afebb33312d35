package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/account"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// DeleteSlot removes a slot that was never booked.
func (s *Service) DeleteSlot(ctx context.Context, caller account.Caller, slotID uuid.UUID, match Match) error {
	if _, err := s.managedSlot(ctx, caller, slotID); err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		return seating.RemoveTx(ctx, tx, slotID, match.Revision, by(caller, ""))
	})
}
