// Package booking is what people do with bookings: book and cancel, see their
// own and their attendees', and follow what happened to them through the ledger.
// The rules by which seats change hands are in internal/seating; who may ask for
// what about a booking is here.
package booking

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
	"eventbooking/internal/waitlist"
)

// Booking is a booking with whose event it is for, which says who may see it.
type Booking struct {
	waitlist.Placed
	OrganizerID uuid.UUID
}

// VisibleTo says who knows of the booking: its owner, and who manages its event.
// For everybody else it does not exist.
func (b Booking) VisibleTo(caller account.Caller) bool {
	return caller.UserID == b.UserID || caller.Manages(b.OrganizerID)
}

// Part is in which part a caller who sees the booking acts on it. An organizer
// stays one when the booking is their own; an administrator with a booking is an
// attendee like any other.
func (b Booking) Part(caller account.Caller) seating.Actor {
	switch {
	case caller.UserID == b.OrganizerID && caller.Manages(b.OrganizerID):
		return seating.ByOrganizer
	case caller.UserID == b.UserID:
		return seating.ByAttendee
	}
	return seating.ByAdmin
}

// Service has the use cases of bookings. It reads by itself, and changes things
// at the desk only.
type Service struct {
	pool *pgxpool.Pool
	desk *seating.Desk
}

// New makes the service.
func New(pool *pgxpool.Pool, desk *seating.Desk) *Service {
	return &Service{pool: pool, desk: desk}
}

// Get is a booking, for those who may see it.
func (s *Service) Get(ctx context.Context, caller account.Caller, id uuid.UUID) (Booking, error) {
	row, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) (db.BookingGetRow, error) { return db.New().BookingGet(ctx, c, id) })
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Booking{}, err
	}
	b := Booking{
		Placed:      waitlist.PlacedOf(waitlist.PlacedRow{Booking: row.Booking, EventID: row.EventID, Position: row.Position}),
		OrganizerID: row.OrganizerID,
	}
	if err != nil || !b.VisibleTo(caller) {
		return Booking{}, fault.NotFound.New("There is no such booking.")
	}
	return b, nil
}
