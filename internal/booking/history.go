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
	"eventbooking/internal/view"
)

// History returns a page of the ledger entries of a booking, oldest first, for its
// owner or who manages its event. Refusals: fault.NotFound, fault.InvalidCursor,
// fault.CursorMismatch.
func (s *Service) History(ctx context.Context, caller access.Caller, id uuid.UUID, ask page.Ask) (page.Page[db.Ledger], error) {
	return page.Read(ask, []any{"history", id}, 0, func(after int64, n int32) ([]db.Ledger, error) {
		b, err := s.Get(ctx, caller, id)
		if err != nil {
			return nil, err
		}
		rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.Ledger, error) {
			return db.New().LedgerOfBooking(ctx, c, db.LedgerOfBookingParams{BookingID: &b.ID, SlotID: b.SlotID, AfterVersion: after, Page: n})
		})
		for i := range rows {
			rows[i] = b.redact(rows[i], caller, &b.EventID)
		}
		return rows, err
	}, view.EntryKey)
}

// redact returns an entry of an event, linked to those of the booking, as a caller may
// see it: all of it if it is of the booking's event and they manage that; otherwise
// without the ids of other users, and without what others wrote about others. Everybody
// may know what happened, but not to whom. An entry in another event is about another
// booking of the same user, which is not the manager's affair, even an administrator's.
func (b Booking) redact(e db.Ledger, caller access.Caller, eventID *uuid.UUID) db.Ledger {
	if eventID != nil && *eventID == b.EventID && caller.Manages(b.OrganizerID) {
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
