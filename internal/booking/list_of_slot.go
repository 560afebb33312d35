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
func (s *Service) ListOfSlot(ctx context.Context, caller access.Caller, slotID uuid.UUID, statuses Statuses, request PageRequest) (List, error) {
	filter := statuses.filter()
	list := []any{"slot", slotID, filter}
	var after uuid.UUID
	if err := page.After(request.Cursor, list, &after); err != nil {
		return List{}, err
	}
	if err := access.CheckManagesSlot(ctx, s.pool, caller, slotID); err != nil {
		return List{}, err
	}
	n := page.Limit(request.Limit)
	rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsOfSlotRow, error) {
		return db.New().BookingsOfSlot(ctx, c, db.BookingsOfSlotParams{
			SlotID: slotID, Statuses: filter, AfterID: after, Page: int32(n + 1)})
	})
	if err != nil {
		return List{}, err
	}
	return cut(view.BookingsFrom(rows), n, list, byID)
}
