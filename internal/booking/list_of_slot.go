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

// ListOfSlot are a slot's bookings, the oldest first, for who manages it.
func (s *Service) ListOfSlot(ctx context.Context, caller account.Caller, slotID uuid.UUID, statuses Statuses, asked Asked) (List, error) {
	filter := statuses.filter()
	list := []any{"slot", slotID, filter}
	var after uuid.UUID
	if err := page.After(asked.Cursor, list, &after); err != nil {
		return List{}, err
	}
	owner, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) (db.SlotOrganizerGetRow, error) {
		return db.New().SlotOrganizerGet(ctx, c, slotID)
	})
	if err := waitlist.Managed(caller, owner, err); err != nil {
		return List{}, err
	}
	n := page.Limit(asked.Limit)
	rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsOfSlotRow, error) {
		return db.New().BookingsOfSlot(ctx, c, db.BookingsOfSlotParams{
			SlotID: slotID, Statuses: filter, AfterID: after, Page: int32(n + 1)})
	})
	if err != nil {
		return List{}, err
	}
	return cut(waitlist.AllPlaced(rows), n, list, byID)
}
