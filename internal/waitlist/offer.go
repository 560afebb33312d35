package waitlist

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// offer is a booking that may be offered seats, with who answers for it.
type offer db.OfferGetRow

// offer reads a booking for who may answer: its owner, and who manages its event.
// For everybody else it does not exist. No lock is needed: none of it changes.
func (s *Service) offer(ctx context.Context, caller account.Caller, bookingID uuid.UUID) (offer, error) {
	row, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) (db.OfferGetRow, error) {
		return db.New().OfferGet(ctx, c, bookingID)
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return offer{}, err
	}
	if err != nil || caller.UserID != row.UserID && !caller.Manages(row.OrganizerID) {
		return offer{}, fault.NotFound.New("There is no such booking.")
	}
	return offer(row), nil
}

// by is the caller as the ledger names them.
func (o offer) by(caller account.Caller) seating.By {
	return seating.By{Actor: Part(caller, o.UserID, o.OrganizerID), ID: caller.UserID}
}
