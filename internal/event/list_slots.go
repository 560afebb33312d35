package event

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// ListSlots returns a page of an event's slots, by their start, to whoever may see the
// event. next is the cursor of the following page, or empty. Refusals:
// fault.NotFound, fault.InvalidCursor, fault.CursorMismatch.
func (s *Service) ListSlots(ctx context.Context, caller access.Caller, eventID uuid.UUID, limit *int, cursor *string) (slots []seating.Slot, next string, err error) {
	list := []any{"slots", eventID}
	var after struct {
		At time.Time `json:"t"`
		ID uuid.UUID `json:"i"`
	}
	if err := page.After(cursor, list, &after); err != nil {
		return nil, "", err
	}
	if _, err := s.Get(ctx, caller, eventID); err != nil {
		return nil, "", err
	}
	size := page.Limit(limit)
	rows, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]db.Slot, error) {
		return db.New().SlotList(ctx, conn, db.SlotListParams{EventID: eventID, AfterStart: after.At, AfterID: after.ID, Page: int32(size + 1)})
	})
	if err != nil {
		return nil, "", err
	}
	rows, next, _, err = page.Cut(rows, size, list, func(row db.Slot) any {
		after.At, after.ID = row.StartsAt.UTC(), row.ID
		return after
	})
	for _, row := range rows {
		slots = append(slots, slotOf(row))
	}
	return slots, next, err
}
