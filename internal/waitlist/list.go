package waitlist

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

// List returns a page of a slot's waitlist, for who manages the slot, with blocked
// bookings at the positions that they keep. next is the cursor of the following
// page, or empty. Refusals: fault.NotFound, fault.NotPermitted,
// fault.InvalidCursor, fault.CursorMismatch.
func (s *Service) List(ctx context.Context, caller access.Caller, slotID uuid.UUID, limit *int, cursor *string) (queue []view.Booking, next string, err error) {
	list := []any{"waitlist", slotID}
	var after int64
	if err := page.After(cursor, list, &after); err != nil {
		return nil, "", err
	}
	if err := access.CheckManagesSlot(ctx, s.pool, caller, slotID); err != nil {
		return nil, "", err
	}
	n := page.Limit(limit)
	rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.WaitlistOfSlotRow, error) {
		return db.New().WaitlistOfSlot(ctx, c, db.WaitlistOfSlotParams{SlotID: slotID, AfterVersion: after, Page: int32(n + 1)})
	})
	if err != nil {
		return nil, "", err
	}
	queue, next, _, err = page.Cut(view.BookingsFrom(rows), n, list, func(b view.Booking) any { return b.QueuedVersion })
	return queue, next, err
}
