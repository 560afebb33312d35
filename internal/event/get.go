package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
)

// Get returns an event. Drafts are fault.NotFound unless the caller manages them and
// their token has the ability events:read.
func (s *Service) Get(ctx context.Context, caller access.Caller, eventID uuid.UUID) (Event, error) {
	event, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (Event, error) { return get(ctx, conn, eventID) })
	if err != nil {
		return Event{}, err
	}
	if !canSee(caller, event.OrganizerID, event.Status) {
		return Event{}, errNoEvent()
	}
	return event, nil
}
