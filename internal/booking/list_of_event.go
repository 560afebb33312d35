package booking

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
	"eventbooking/internal/waitlist"
)

// ListOfEvent are the bookings of all slots of an event, the newest first, for
// who manages it.
func (s *Service) ListOfEvent(ctx context.Context, caller account.Caller, eventID uuid.UUID, statuses Statuses, asked Asked) (List, error) {
	filter := statuses.filter()
	list := []any{"event", eventID, filter}
	before := uuid.Max
	if err := page.After(asked.Cursor, list, &before); err != nil {
		return List{}, err
	}
	owner, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) (db.EventOrganizerGetRow, error) {
		return db.New().EventOrganizerGet(ctx, c, eventID)
	})
	if err := waitlist.Managed(caller, owner, err); err != nil {
		return List{}, err
	}
	n := page.Limit(asked.Limit)
	rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsOfEventRow, error) {
		return db.New().BookingsOfEvent(ctx, c, db.BookingsOfEventParams{
			EventID: eventID, Statuses: filter, BeforeID: before, Page: int32(n + 1)})
	})
	if err != nil {
		return List{}, err
	}
	return cut(waitlist.AllPlaced(rows), n, list, byID)
}
