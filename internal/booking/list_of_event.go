package booking

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
	"eventbooking/internal/view"
)

// ListOfEvent returns the bookings of all slots of an event, the newest first, for
// who manages it. Refusals: fault.NotFound, fault.NotPermitted, fault.InvalidCursor,
// fault.CursorMismatch.
func (s *Service) ListOfEvent(ctx context.Context, caller access.Caller, eventID uuid.UUID, statuses Statuses, ask page.Ask) (page.Page[view.Booking], error) {
	filter := statuses.filter()
	list := []any{"event", eventID, filter}
	return page.Read(ask, list, uuid.Max, func(before uuid.UUID, n int32) ([]view.Booking, error) {
		if err := access.CheckManagesEvent(ctx, s.pool, caller, eventID); err != nil {
			return nil, err
		}
		rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsOfEventRow, error) {
			return db.New().BookingsOfEvent(ctx, c, db.BookingsOfEventParams{EventID: eventID, Statuses: filter.orAll(), BeforeID: before, Page: n})
		})
		return view.BookingsFrom(rows), err
	}, byID)
}
