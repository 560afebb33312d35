package booking

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Entries is a page of ledger entries. Next is the cursor of the following page, or
// empty.
type Entries struct {
	Entries []db.Ledger
	Next    string
}

// History returns a page of the ledger entries of a booking, oldest first, for its
// owner or who manages its event. Refusals: fault.NotFound, fault.InvalidCursor,
// fault.CursorMismatch.
func (s *Service) History(ctx context.Context, caller access.Caller, id uuid.UUID, limit *int, cursor *string) (Entries, error) {
	list := []any{"history", id}
	var after int64
	if err := page.After(cursor, list, &after); err != nil {
		return Entries{}, err
	}
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return Entries{}, err
	}
	n := page.Limit(limit)
	rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.Ledger, error) {
		return db.New().LedgerOfBooking(ctx, c, db.LedgerOfBookingParams{
			BookingID: &b.ID, SlotID: b.SlotID, AfterVersion: after, Page: int32(n + 1)})
	})
	if err != nil {
		return Entries{}, err
	}
	rows, next, _, err := page.Cut(rows, n, list, func(e db.Ledger) any { return e.Version })
	for i := range rows {
		rows[i] = redact(rows[i], caller, &b.OrganizerID)
	}
	return Entries{rows, next}, err
}

// redact returns an entry as a caller may see it: all of it if they manage the event;
// otherwise without the ids of other users, and without what others wrote about
// others. Everybody may know what happened, but not to whom.
func redact(e db.Ledger, caller access.Caller, organizerID *uuid.UUID) db.Ledger {
	if organizerID != nil && caller.Manages(*organizerID) {
		return e
	}
	own := func(id *uuid.UUID) bool { return id != nil && *id == caller.UserID }
	if !own(e.UserID) {
		if e.Actor != string(seating.ActorSystem) && e.BookingID != nil && !own(e.ActorID) {
			e.Reason = nil
		}
		e.BookingID, e.UserID = nil, nil
	}
	if !own(e.ActorID) {
		e.ActorID = nil
	}
	return e
}
