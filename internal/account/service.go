package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Service does what users and administrators ask of accounts.
type Service struct {
	pool      *pgxpool.Pool
	passwords *passwords
	onDelete  OnDelete
}

// OnDelete is what else a user's deletion takes, in its transaction: the rooms
// above this one know what the user leaves behind.
type OnDelete func(ctx context.Context, tx pgx.Tx, userID uuid.UUID) error

// Options are what the composition supplies.
type Options struct {
	// OnDelete sees to the bookings of a deleted user. It must be there.
	OnDelete OnDelete
}

// New makes the service. The number of passwords that are hashed at once is
// bounded per Service, so a process has one.
func New(pool *pgxpool.Pool, o Options) *Service {
	return &Service{pool: pool, passwords: newPasswords(), onDelete: o.OnDelete}
}
