package waitlist

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Service has the use cases of the waitlist. It reads by itself, and changes
// things at the desk only.
type Service struct {
	pool *pgxpool.Pool
	desk *seating.Desk
	// simulating has room for one.
	simulating chan struct{}
}

// New makes the service.
func New(pool *pgxpool.Pool, desk *seating.Desk) *Service {
	return &Service{pool: pool, desk: desk, simulating: make(chan struct{}, 1)}
}

// managed refuses who does not manage the slot.
func (s *Service) managed(ctx context.Context, caller account.Caller, slotID uuid.UUID) error {
	row, err := postgres.Read(ctx, s.pool, func(c *pgxpool.Conn) (db.SlotOrganizerGetRow, error) {
		return db.New().SlotOrganizerGet(ctx, c, slotID)
	})
	return Managed(caller, row, err)
}
