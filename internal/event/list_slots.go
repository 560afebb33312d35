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

// slotKey is the position of a slot in the list.
type slotKey struct {
	At time.Time `json:"t"`
	ID uuid.UUID `json:"i"`
}

// ListSlots returns a page of an event's slots, by their start, to whoever may see the
// event. Refusals:
// fault.NotFound, fault.InvalidCursor, fault.CursorMismatch.
func (s *Service) ListSlots(ctx context.Context, caller access.Caller, eventID uuid.UUID, ask page.Ask) (page.Page[seating.Slot], error) {
	return page.Read(ask, []any{"slots", eventID}, slotKey{}, func(after slotKey, n int32) ([]seating.Slot, error) {
		if _, err := s.Get(ctx, caller, eventID); err != nil {
			return nil, err
		}
		rows, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]db.Slot, error) {
			return db.New().SlotList(ctx, conn, db.SlotListParams{EventID: eventID, AfterStart: after.At, AfterID: after.ID, Page: n})
		})
		slots := make([]seating.Slot, len(rows))
		for i, row := range rows {
			slots[i] = slotOf(row)
		}
		return slots, err
	}, func(slot seating.Slot) slotKey { return slotKey{slot.StartsAt.UTC(), slot.ID} })
}
