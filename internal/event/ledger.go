package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
)

// Ledger returns a page of a slot's ledger, for who manages the slot. next is the
// cursor of the following page, or empty. Refusals: fault.NotFound,
// fault.NotPermitted, fault.InvalidCursor, fault.CursorMismatch.
func (s *Service) Ledger(ctx context.Context, caller access.Caller, slotID uuid.UUID, limit *int, cursor *string) (entries []db.Ledger, next string, err error) {
	list := []any{"ledger", slotID}
	var after int64
	if err := page.After(cursor, list, &after); err != nil {
		return nil, "", err
	}
	if _, err := s.managedSlot(ctx, caller, slotID); err != nil {
		return nil, "", err
	}
	size := page.Limit(limit)
	entries, err = postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]db.Ledger, error) {
		return db.New().LedgerList(ctx, conn, db.LedgerListParams{SlotID: slotID, AfterVersion: after, Page: int32(size + 1)})
	})
	if err != nil {
		return nil, "", err
	}
	entries, next, _, err = page.Cut(entries, size, list, func(e db.Ledger) any { return e.Version })
	return entries, next, err
}
