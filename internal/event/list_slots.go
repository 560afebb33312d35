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
)

// slotKey is the position of a slot in the list.
type slotKey struct {
	At time.Time `json:"t"`
	ID uuid.UUID `json:"i"`
}

// ListSlots returns a page of an event's slots, by their start, to whoever may see the
// event. Refusals:
// fault.NotFound, fault.InvalidCursor, fault.CursorMismatch.
func (s *Service) ListSlots(ctx context.Context, caller access.Caller, eventID uuid.UUID, ask page.Ask) (page.Page[Slot], error) {
	return page.Read(ask, []any{"slots", eventID}, slotKey{}, func(after slotKey, n int32) ([]Slot, error) {
		if _, err := s.Get(ctx, caller, eventID); err != nil {
			return nil, err
		}
		rows, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]db.SlotListRow, error) {
			return db.New().SlotList(ctx, conn, db.SlotListParams{EventID: eventID, AfterStart: after.At, AfterID: after.ID, Page: n})
		})
		slots := make([]Slot, len(rows))
		for i, row := range rows {
			slots[i] = slotOf(db.SlotGetRow(row))
		}
		return slots, err
	}, func(slot Slot) slotKey { return slotKey{slot.StartsAt.UTC(), slot.ID} })
}
