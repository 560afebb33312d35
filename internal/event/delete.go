package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Delete removes a draft with its slots.
func (s *Service) Delete(ctx context.Context, caller account.Caller, eventID uuid.UUID, match Match) error {
	// Asked before anything is locked: strangers do not stop a published event's slots.
	event, err := s.managed(ctx, caller, eventID)
	if err != nil {
		return err
	}
	if err := deletable(match, event.Revision, event.Status); err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		row, slots, err := lockAllTx(ctx, tx, caller, eventID)
		if err != nil {
			return err
		}
		if err := deletable(match, row.Revision, seating.EventStatus(row.Status)); err != nil {
			return err
		}
		for _, slot := range slots {
			if err := seating.RemoveTx(ctx, tx, slot.ID, 0, by(caller, "the draft was deleted")); err != nil {
				return err
			}
		}
		return db.New().EventDelete(ctx, tx, eventID)
	})
}

func deletable(match Match, revision int64, status seating.EventStatus) error {
	if err := match.check(revision); err != nil {
		return err
	}
	if status != seating.EventDraft {
		return transition(status, "deleted", "The event was published once; cancel it instead.")
	}
	return nil
}
