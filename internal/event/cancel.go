package event

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
)

// Cancel cancels an event, for who manages it; jobs cancel its slots that have not
// ended, and their bookings. Cancelling twice changes nothing. Refusals:
// fault.ValidationFailed (no reason), fault.NotFound, fault.NotPermitted and, for a
// draft, fault.InvalidTransition.
//
// No slot is locked. A command that has locked a slot before may still give out
// seats; the job of that slot waits for the lock, and cancels those bookings too.
func (s *Service) Cancel(ctx context.Context, caller access.Caller, eventID uuid.UUID, reason string, once Once[Event]) (idempotency.Response, error) {
	if strings.TrimSpace(reason) == "" {
		return idempotency.Response{}, errBlank("/reason")
	}
	return once.do(ctx, s.pool, eventID, func(tx pgx.Tx) (Event, error) {
		row, err := lockTx(ctx, tx, caller, eventID)
		if err != nil {
			return Event{}, err
		}
		switch status := seating.EventStatus(row.Status); status {
		case seating.EventDraft:
			return Event{}, errInvalidTransition(status, seating.EventCancelled, "A draft cannot be cancelled. Delete it instead.")
		case seating.EventPublished:
			if err := s.cancelTx(ctx, tx, eventID, reason); err != nil {
				return Event{}, err
			}
		}
		return get(ctx, tx, eventID)
	})
}

func (s *Service) cancelTx(ctx context.Context, tx pgx.Tx, eventID uuid.UUID, reason string) error {
	q := db.New()
	if err := q.EventCancel(ctx, tx, db.EventCancelParams{ID: eventID, Reason: reason}); err != nil {
		return err
	}
	slots, err := q.EventSlotsToCancel(ctx, tx, eventID)
	if err != nil {
		return err
	}
	jobs := make([]river.InsertManyParams, len(slots))
	for i, slotID := range slots {
		jobs[i] = river.InsertManyParams{Args: desk.CancelBookingsArgs{SlotID: slotID}}
	}
	return s.insertTx(ctx, tx, jobs)
}
