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
// fault.UnknownTimeZone, fault.InvalidTimeRange, fault.NotPermitted, fault.TokenInvalid.
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
		err = db.New().EventInsert(ctx, tx, db.EventInsertParams(settings.row(id, caller.UserID)))
		if err != nil {
			return Event{}, err
		}
		return get(ctx, tx, id)
	})
}
