package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Service has the use cases of users and tokens.
type Service struct {
	pool     *pgxpool.Pool
	hasher   *hasher
	throttle *throttle // nil: wrong passwords delay nothing
	onDelete OnDelete
}

// OnDelete is called in the transaction that deletes a user. The packages above
// this one use it for what else a user has, such as bookings.
type OnDelete func(ctx context.Context, tx pgx.Tx, userID uuid.UUID) error

// Options configure a Service.
type Options struct {
	// OnDelete is required if users are to be deleted.
	OnDelete OnDelete
	// LoginDelays says that wrong passwords delay further attempts.
	LoginDelays bool
}

// New returns a service. The number of passwords that are hashed at once is
// bounded per Service, so a process should have one.
func New(pool *pgxpool.Pool, o Options) *Service {
	s := &Service{pool: pool, hasher: newHasher(), onDelete: o.OnDelete}
	if o.LoginDelays {
		s.throttle = &throttle{pool: pool}
	}
	return s
}
