package booking

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
	"eventbooking/internal/view"
)

// When selects bookings by the time of their slots, compared with the database's clock.
type When string

// The phases; any other value selects all bookings.
const (
	Upcoming When = "upcoming"
	Ongoing  When = "ongoing"
	Past     When = "past"
	Always   When = "all"
)

// direction is 1 for the earliest start first, and -1 for the latest first. BookingsOfUser
// has the same rule.
func (w When) direction() int64 {
	if w == Upcoming {
		return 1
	}
	return -1
}

// startKey is the position of a booking in the list: its start in microseconds, times
// the direction of the list.
type startKey struct {
	Starts int64     `json:"s"`
	ID     uuid.UUID `json:"i"`
}

// farthest is a start, in microseconds, that is later than all, and earlier than all times
// -1; PostgreSQL has times of both. A cursor that we did not make may say anything.
const farthest int64 = 1 << 57

// start is that of the booking.
func (k startKey) start(direction int64) time.Time {
	return time.UnixMicro(max(-farthest, min(k.Starts, farthest)) * direction)
}

// ListMine returns the caller's bookings by their start: upcoming ones with the
// earliest first, all others with the latest first. Refusals: fault.InvalidCursor,
// fault.CursorMismatch.
func (s *Service) ListMine(ctx context.Context, caller access.Caller, statuses Statuses, when When, ask page.Ask) (page.Page[view.Booking], error) {
	filter, direction := statuses.filter(), when.direction()
	list := []any{"mine", caller.UserID, filter, when}
	return page.Read(ask, list, startKey{Starts: math.MinInt64}, func(after startKey, n int32) ([]view.Booking, error) {
		rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsOfUserRow, error) {
			return db.New().BookingsOfUser(ctx, c, db.BookingsOfUserParams{
				UserID: caller.UserID, Statuses: filter.orAll(), Phase: string(when),
				AfterStarts: after.start(direction), AfterID: after.ID, Page: n})
		})
		return view.BookingsFrom(rows), err
	}, func(b view.Booking) startKey { return startKey{b.StartsAt.UnixMicro() * direction, b.ID} })
}
