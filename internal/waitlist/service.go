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
}

// New makes the service.
func New(pool *pgxpool.Pool, desk *seating.Desk) *Service {
	return &Service{pool: pool, desk: desk}
}

// managed refuses who does not manage the slot.
func (s *Service) managed(ctx context.Context, caller account.Caller, slotID uuid.UUID) error {
	row, err := read(ctx, s.pool, func(c db.DBTX) (db.SlotOrganizerGetRow, error) {
		return db.New().SlotOrganizerGet(ctx, c, slotID)
	})
	return Managed(caller, row, err)
}

// read runs a query outside a transaction.
func read[T any](ctx context.Context, pool *pgxpool.Pool, query func(db.DBTX) (T, error)) (result T, err error) {
	conn, err := postgres.Acquire(ctx, pool)
	if err != nil {
		return result, err
	}
	defer conn.Release()
	result, err = query(conn)
	return result, postgres.Translate(err)
}
