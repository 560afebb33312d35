package event

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
)

// Get is an event as it is now.
func (s *Service) Get(ctx context.Context, caller account.Caller, eventID uuid.UUID) (Event, error) {
	event, err := read(ctx, s.pool, func(conn db.DBTX) (Event, error) { return get(ctx, conn, eventID) })
	if err != nil {
		return Event{}, err
	}
	if !sees(caller, event.OrganizerID, event.Status) {
		return Event{}, noEvent()
	}
	return event, nil
}
