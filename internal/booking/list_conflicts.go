package booking

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
	"eventbooking/internal/view"
)

// conflictKey is the position of a booking in the list.
type conflictKey struct {
	Starts time.Time `json:"s"`
	ID     uuid.UUID `json:"i"`
}

// ListConflicts returns the caller's bookings that take seats at an overlapping time,
// by their start. Refusals: fault.InvalidTimeRange, fault.InvalidCursor,
// fault.CursorMismatch.
func (s *Service) ListConflicts(ctx context.Context, caller access.Caller, starts, ends time.Time, ask page.Ask) (page.Page[view.Booking], error) {
	if !starts.Before(ends) {
		return page.Page[view.Booking]{}, fault.InvalidTimeRange.New("ends_at must be after starts_at.")
	}
	list := []any{"conflicts", caller.UserID, starts.UTC(), ends.UTC()}
	return page.Read(ask, list, conflictKey{}, func(after conflictKey, n int32) ([]view.Booking, error) {
		rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsConflictingRow, error) {
			return db.New().BookingsConflicting(ctx, c, db.BookingsConflictingParams{
				UserID: caller.UserID, StartsAt: starts, EndsAt: ends, AfterStarts: after.Starts, AfterID: after.ID, Page: n})
		})
		return view.BookingsFrom(rows), err
	}, func(b view.Booking) conflictKey { return conflictKey{b.StartsAt, b.ID} })
}
