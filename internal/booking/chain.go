package booking

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
)

// maxLinks is how many entries a chain has in each direction.
const maxLinks = 100

// Chain has the entries that are linked by cause to those of a booking, nearest first.
type Chain struct {
	Causes, Consequences []Link
	// Truncated says that there are more.
	Truncated bool
}

// Link is an entry that is Depth causes away from the booking.
type Link struct {
	Depth int
	Entry db.Ledger
}

// Chain returns what caused a booking's entries, and what they caused, across slots,
// for its owner or who manages its event. Entries about others, and for who manages
// the event those in other events, are redacted. The only refusal is fault.NotFound.
func (s *Service) Chain(ctx context.Context, caller access.Caller, id uuid.UUID) (Chain, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return Chain{}, err
	}
	causes, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.LedgerCausesRow, error) {
		return db.New().LedgerCauses(ctx, c, db.LedgerCausesParams{BookingID: &id, Links: maxLinks + 1})
	})
	if err != nil {
		return Chain{}, err
	}
	consequences, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.LedgerConsequencesRow, error) {
		return db.New().LedgerConsequences(ctx, c, db.LedgerConsequencesParams{BookingID: &id, Links: maxLinks + 1})
	})
	if err != nil {
		return Chain{}, err
	}
	chain := Chain{Truncated: len(causes) > maxLinks || len(consequences) > maxLinks}
	for _, row := range causes[:min(len(causes), maxLinks)] {
		chain.Causes = append(chain.Causes, Link{int(row.Depth), b.redact(row.Ledger, caller, row.EventID)})
	}
	for _, row := range consequences[:min(len(consequences), maxLinks)] {
		chain.Consequences = append(chain.Consequences, Link{int(row.Depth), b.redact(row.Ledger, caller, row.EventID)})
	}
	return chain, nil
}
