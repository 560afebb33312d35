package waitlist

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// offer says whose a booking is that may be offered seats, and in which slot.
type offer db.OfferGetRow

// offer reads a booking for who may answer an offer: its owner, and who manages its
// event. For everybody else it is fault.NotFound. No lock is needed, because none of
// it ever changes.
func (s *Service) offer(ctx context.Context, caller access.Caller, bookingID uuid.UUID) (offer, error) {
	row, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) (db.OfferGetRow, error) {
		return db.New().OfferGet(ctx, c, bookingID)
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return offer{}, err
	}
	if err != nil || !caller.CanSeeBooking(row.UserID, row.OrganizerID) {
		return offer{}, fault.NotFound.New("There is no such booking.")
	}
	return offer(row), nil
}

// actor is the caller in the role that the ledger records.
func (o offer) actor(caller access.Caller) seating.Actor {
	return access.ActorFor(caller, o.OrganizerID, o.UserID, "")
}
