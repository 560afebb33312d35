package waitlist

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// List returns a page of a slot's waitlist, for who manages the slot, with blocked
// bookings at the positions that they keep. Refusals: fault.NotFound, fault.NotPermitted,
// fault.InvalidCursor, fault.CursorMismatch.
func (s *Service) List(ctx context.Context, caller access.Caller, slotID uuid.UUID, ask page.Ask) (page.Page[view.Booking], error) {
	return page.Read(ask, []any{"waitlist", slotID}, 0, func(after int64, n int32) ([]view.Booking, error) {
		if err := access.CheckManagesSlot(ctx, s.pool, caller, slotID); err != nil {
			return nil, err
		}
		rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.WaitlistOfSlotRow, error) {
			return db.New().WaitlistOfSlot(ctx, c, db.WaitlistOfSlotParams{SlotID: slotID, AfterVersion: after, Page: n})
		})
		queue := make([]view.Booking, len(rows))
		for i, row := range rows {
			queue[i] = waiting(row)
		}
		return queue, err
	}, func(b view.Booking) int64 { return b.QueuedVersion })
}

// waiting converts a row. Whether the booking is blocked is as it is now, whether a
// promotion has found out or not.
func waiting(row db.WaitlistOfSlotRow) view.Booking {
	b := view.BookingFrom(view.BookingRow{Booking: row.Booking, EventID: row.EventID, Position: row.Position})
	b.Blocked, b.BlockedBy = seating.NotBlocked, row.Blocker
	switch {
	case row.Blocker != uuid.Nil:
		b.Blocked = seating.BlockedOverlap
	case row.TooLarge:
		b.Blocked = seating.BlockedCapacity
	}
	return b
}
