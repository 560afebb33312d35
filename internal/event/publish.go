package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
)

// Publish publishes a draft, for who manages it. Publishing twice changes nothing.
// Refusals: fault.NotFound, fault.NotPermitted and, if it was cancelled,
// fault.InvalidTransition.
func (s *Service) Publish(ctx context.Context, caller access.Caller, eventID uuid.UUID, once Once[Event]) (idempotency.Response, error) {
	return once.do(ctx, s.pool, eventID, func(tx pgx.Tx) (Event, error) {
		row, err := lockTx(ctx, tx, caller, eventID)
		if err != nil {
			return Event{}, err
		}
		switch status := seating.EventStatus(row.Status); status {
		case seating.EventCancelled:
			return Event{}, errInvalidTransition(status, seating.EventPublished, "A cancelled event cannot be published.")
		case seating.EventDraft:
			if err := db.New().EventPublish(ctx, tx, eventID); err != nil {
				return Event{}, err
			}
		}
		return get(ctx, tx, eventID)
	})
}
