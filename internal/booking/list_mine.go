package booking

import (
	"context"
	"math"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
	"eventbooking/internal/view"
)

// When is a phase of a booking's slot, by the database's clock.
type When string

// The phases; any other word is all of them.
const (
	Upcoming When = "upcoming"
	Ongoing  When = "ongoing"
	Past     When = "past"
	Always   When = "all"
)

// direction in which starts are listed: the next first, or the latest first.
func (w When) direction() int64 {
	if w == Upcoming {
		return 1
	}
	return -1
}

// startKey is where a list by start goes on: microseconds times its direction.
type startKey struct {
	Starts int64     `json:"s"`
	ID     uuid.UUID `json:"i"`
}

// ListMine are the caller's bookings.
func (s *Service) ListMine(ctx context.Context, caller access.Caller, statuses Statuses, when When, ask PageRequest) (List, error) {
	filter, direction := statuses.filter(), when.direction()
	list := []any{"mine", caller.UserID, filter, when}
	after := startKey{Starts: math.MinInt64}
	if err := page.After(ask.Cursor, list, &after); err != nil {
		return List{}, err
	}
	n := page.Limit(ask.Limit)
	rows, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) ([]db.BookingsOfUserRow, error) {
		return db.New().BookingsOfUser(ctx, c, db.BookingsOfUserParams{
			UserID: caller.UserID, Statuses: filter, Phase: string(when), Direction: direction,
			AfterStarts: after.Starts, AfterID: after.ID, Page: int32(n + 1)})
	})
	if err != nil {
		return List{}, err
	}
	return cut(view.BookingsFrom(rows), n, list, func(p view.Booking) any {
		return startKey{p.StartsAt.UnixMicro() * direction, p.ID}
	})
}
