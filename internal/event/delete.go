package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// Delete deletes a draft with its slots, for who manages it. Refusals:
// fault.NotFound, fault.NotPermitted, fault.VersionMismatch and, unless it is a
// draft, fault.InvalidTransition.
func (s *Service) Delete(ctx context.Context, caller access.Caller, eventID uuid.UUID, match view.IfMatch) error {
	// First without locks, so that nobody else can lock the slots of a published event.
	event, err := s.managed(ctx, caller, eventID)
	if err != nil {
		return err
	}
	if err := checkDeletable(match, event.Revision, event.Status); err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		row, slots, err := lockAllTx(ctx, tx, caller, eventID)
		if err != nil {
			return err
		}
		if err := checkDeletable(match, row.Revision, seating.EventStatus(row.Status)); err != nil {
			return err
		}
		for _, slot := range slots {
			if err := desk.RemoveTx(ctx, tx, slot.ID, view.AnyState.CheckRevision, access.ActorFor(caller, row.OrganizerID, uuid.Nil, "the draft was deleted")); err != nil {
				return err
			}
		}
		return db.New().EventDelete(ctx, tx, eventID)
	})
}

func checkDeletable(match view.IfMatch, revision int64, status seating.EventStatus) error {
	if err := match.CheckRevision(revision); err != nil {
		return err
	}
	if status != seating.EventDraft {
		return errInvalidTransition(status, "deleted", "Only a draft can be deleted. Cancel the event instead.")
	}
	return nil
}
