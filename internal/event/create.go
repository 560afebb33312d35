package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
)

// Create makes a draft that belongs to the caller. Refusals: fault.ValidationFailed,
// fault.UnknownTimeZone, fault.InvalidTimeRange, fault.NotPermitted, fault.TokenInvalid,
// fault.DraftLimit.
func (s *Service) Create(ctx context.Context, caller access.Caller, settings Settings, once Once[Event]) (idempotency.Response, error) {
	if err := settings.check(); err != nil {
		return idempotency.Response{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return idempotency.Response{}, err
	}
	return once.do(ctx, s.pool, uuid.Nil, func(tx pgx.Tx) (Event, error) {
		now, err := caller.AgainTx(ctx, tx)
		if err != nil {
			return Event{}, err
		}
		if !now.CanOrganize() {
			return Event{}, fault.NotPermitted.New("Only organizers and administrators make events.")
		}
		if err := s.checkDraftsTx(ctx, tx, caller.UserID); err != nil {
			return Event{}, err
		}
		err = db.New().EventInsert(ctx, tx, db.EventInsertParams(settings.row(id, caller.UserID)))
		if err != nil {
			return Event{}, err
		}
		return get(ctx, tx, id)
	})
}

// checkDraftsTx refuses an organizer who has too many drafts. They are locked already, so
// that no two drafts at once are both the last one.
func (s *Service) checkDraftsTx(ctx context.Context, tx pgx.Tx, organizerID uuid.UUID) error {
	if s.maxDrafts == 0 {
		return nil
	}
	drafts, err := db.New().EventDraftsCount(ctx, tx, organizerID)
	if err != nil || int(drafts) < s.maxDrafts {
		return err
	}
	return fault.DraftLimit.Newf("You have %s. Publish or delete one first.", fault.Count(int(drafts), "draft")).With(fault.Members{Limit: new(s.maxDrafts)})
}
