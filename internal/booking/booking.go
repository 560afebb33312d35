// Package booking is what people do with bookings: hold, book, confirm, move,
// resize and cancel, check in, see their own and their attendees', and follow what
// happened to them through the ledger.
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

// Part is in which part a caller who sees the booking acts on it.
func (b Booking) Part(caller account.Caller) seating.Actor {
	return waitlist.Part(caller, b.UserID, b.OrganizerID)
}

// by is the caller acting on the booking.
func (b Booking) by(caller account.Caller, reason string) seating.By {
	return seating.By{Actor: b.Part(caller), ID: caller.UserID, Reason: reason}
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
	b, err := s.find(ctx, id)
	if err == nil && !b.VisibleTo(caller) {
		return Booking{}, missing()
	}
	return b, err
}

// find reads a booking without a lock. Whose it is and of which slot never
// changes, so commands may be built on it; everything else is the desk's to check.
func (s *Service) find(ctx context.Context, id uuid.UUID) (Booking, error) {
	row, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) (db.BookingGetRow, error) { return db.New().BookingGet(ctx, c, id) })
	if errors.Is(err, pgx.ErrNoRows) {
		return Booking{}, missing()
	}
	if err != nil {
		return Booking{}, err
	}
	return Booking{
		Placed:      waitlist.PlacedOf(waitlist.PlacedRow{Booking: row.Booking, EventID: row.EventID, Position: row.Position}),
		OrganizerID: row.OrganizerID,
	}, nil
}

func missing() error { return fault.NotFound.New("There is no such booking.") }
