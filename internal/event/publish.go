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
// Refusals: fault.NotFound, fault.NotPermitted, fault.NoBookableSlot and, if it was
// cancelled, fault.InvalidTransition.
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
			draft, err := get(ctx, tx, eventID)
			if err != nil {
				return Event{}, err
			}
			if err := checkBookableTx(ctx, tx, eventID, draft.Rules); err != nil {
				return Event{}, err
			}
			if err := db.New().EventPublish(ctx, tx, eventID); err != nil {
				return Event{}, err
			}
		}
		return get(ctx, tx, eventID)
	})
}

// checkBookableTx refuses rules with which nobody could ever book the slots of an event.
// The event's row must be locked, so that no slot is added or moved meanwhile.
func checkBookableTx(ctx context.Context, tx pgx.Tx, eventID uuid.UUID, rules Rules) error {
	slots, err := db.New().EventLastSlots(ctx, tx, eventID)
	if err != nil {
		return err
	}
	return rules.checkBookable(slots)
}
