package waitlist

import (
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/desk"
)

// Service has the use cases of the waitlist. It reads from the database, and submits
// every change to the desk.
type Service struct {
	pool *pgxpool.Pool
	desk *desk.Desk
}

// New returns the service.
func New(pool *pgxpool.Pool, d *desk.Desk) *Service { return &Service{pool: pool, desk: d} }
