package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/postgres"
	"eventbooking/internal/view"
)

// DeleteSlot deletes a slot that was never booked, for who manages it. Refusals:
// fault.NotFound, fault.NotPermitted, fault.VersionMismatch, fault.EventHasBookings.
func (s *Service) DeleteSlot(ctx context.Context, caller access.Caller, slotID uuid.UUID, match view.IfMatch) error {
	slot, err := s.managedSlot(ctx, caller, slotID)
	if err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		err := desk.RemoveTx(ctx, tx, slotID, match.CheckRevision, access.ActorFor(caller, slot.OrganizerID, uuid.Nil, ""))
		if err != nil {
			return err
		}
		// Users are locked after slots: here it is seen whether the caller still may.
		now, err := caller.AgainTx(ctx, tx)
		if err != nil {
			return err
		}
		return now.CheckManages(slot.OrganizerID, slot.EventStatus, errNoSlot())
	})
}
