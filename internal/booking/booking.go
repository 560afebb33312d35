// Package booking has what callers do with bookings: hold, book, confirm, move,
// resize, cancel and check in, and read lists, histories and chains of causes. Who
// may do that is decided here; the rules about seats are in internal/seating.
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

// Booking is a booking with the organizer of its event, who may see and manage it.
type Booking struct {
	view.Booking
	OrganizerID uuid.UUID
}

// actor is the caller in the role that the ledger records for this booking.
func (b Booking) actor(caller access.Caller, reason string) seating.Actor {
	return access.ActorFor(caller, b.OrganizerID, b.UserID, reason)
}

// Service has the use cases of bookings. It reads from the database, and submits
// every change to the desk.
type Service struct {
	pool *pgxpool.Pool
	desk *desk.Desk
}

// New returns the service.
func New(pool *pgxpool.Pool, d *desk.Desk) *Service {
	return &Service{pool: pool, desk: d}
}

// Get returns a booking to its owner and to who manages its event. For everybody
// else it is fault.NotFound.
func (s *Service) Get(ctx context.Context, caller access.Caller, id uuid.UUID) (Booking, error) {
	b, err := s.find(ctx, id)
	if err == nil && !caller.CanSeeBooking(b.UserID, b.OrganizerID) {
		return Booking{}, errNotFound()
	}
	return b, err
}

// find reads a booking without a lock. Its user and its slot never change, so
// commands can be built from them. Everything else must be checked by the command.
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
