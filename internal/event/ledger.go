package event

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

// Ledger returns a page of a slot's ledger, for who manages the slot. Refusals: fault.NotFound,
// fault.NotPermitted, fault.InvalidCursor, fault.CursorMismatch.
func (s *Service) Ledger(ctx context.Context, caller access.Caller, slotID uuid.UUID, ask page.Ask) (page.Page[db.Ledger], error) {
	return page.Read(ask, []any{"ledger", slotID}, 0, func(after int64, n int32) ([]db.Ledger, error) {
		if _, err := s.managedSlot(ctx, caller, slotID); err != nil {
			return nil, err
		}
		return postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]db.Ledger, error) {
			return db.New().LedgerList(ctx, conn, db.LedgerListParams{SlotID: slotID, AfterVersion: after, Page: n})
		})
	}, view.EntryKey)
}
