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
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// Booking is a booking with whose event it is for, which says who may see it.
type Booking struct {
	view.Booking
	OrganizerID uuid.UUID
}

// actor is the caller, acting on the booking, as the ledger records them.
func (b Booking) actor(caller access.Caller, reason string) seating.Actor {
	return access.ActorFor(caller, b.OrganizerID, b.UserID, reason)
}

// Service has the use cases of bookings. It reads by itself, and changes things
// at the desk only.
type Service struct {
	pool *pgxpool.Pool
	desk *desk.Desk
}

// New makes the service.
func New(pool *pgxpool.Pool, d *desk.Desk) *Service {
	return &Service{pool: pool, desk: d}
}

// Get returns a booking to who may see it; to everybody else it is
// fault.NotFound.
func (s *Service) Get(ctx context.Context, caller access.Caller, id uuid.UUID) (Booking, error) {
	b, err := s.find(ctx, id)
	if err == nil && !caller.CanSeeBooking(b.UserID, b.OrganizerID) {
		return Booking{}, errNotFound()
	}
	return b, err
}

// find reads a booking without a lock. Whose it is and of which slot never
// changes, so commands may be built on it; everything else is the desk's to check.
func (s *Service) find(ctx context.Context, id uuid.UUID) (Booking, error) {
	row, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) (db.BookingGetRow, error) { return db.New().BookingGet(ctx, c, id) })
	if errors.Is(err, pgx.ErrNoRows) {
		return Booking{}, errNotFound()
	}
	if err != nil {
		return Booking{}, err
	}
	return Booking{
		Booking:     view.BookingFrom(view.BookingRow{Booking: row.Booking, EventID: row.EventID, Position: row.Position}),
		OrganizerID: row.OrganizerID,
	}, nil
}

func errNotFound() error { return fault.NotFound.New("There is no such booking.") }
