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

// ListOfSlot returns a slot's bookings, the oldest first, for who manages it.
// Refusals: fault.NotFound, fault.NotPermitted, fault.InvalidCursor,
// fault.CursorMismatch.
func (s *Service) ListOfSlot(ctx context.Context, caller access.Caller, slotID uuid.UUID, statuses Statuses, ask page.Ask) (page.Page[view.Booking], error) {
	filter := statuses.filter()
	list := []any{"slot", slotID, filter}
	return page.Read(ask, list, uuid.Nil, func(after uuid.UUID, n int32) ([]view.Booking, error) {
		if err := access.CheckManagesSlot(ctx, s.pool, caller, slotID); err != nil {
			return nil, err
		}
		rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsOfSlotRow, error) {
			return db.New().BookingsOfSlot(ctx, c, db.BookingsOfSlotParams{SlotID: slotID, Statuses: filter.orAll(), AfterID: after, Page: n})
		})
		return view.BookingsFrom(rows), err
	}, byID)
}
