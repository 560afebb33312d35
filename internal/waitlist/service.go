package waitlist

import (
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/desk"
)

// Service has the use cases of the waitlist. It reads by itself, and changes
// things at the desk only.
type Service struct {
	pool *pgxpool.Pool
	desk *desk.Desk
}

// New makes the service.
func New(pool *pgxpool.Pool, d *desk.Desk) *Service { return &Service{pool: pool, desk: d} }
