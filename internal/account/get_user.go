package account

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// GetUser returns a user. An unknown or deleted one is fault.NotFound.
func (s *Service) GetUser(ctx context.Context, userID uuid.UUID) (User, error) {
	row, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) {
		return db.New().UserFind(ctx, conn, userID)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, errNoUser()
	}
	return userOf(row), err
}

func errNoUser() error { return fault.NotFound.New("There is no such user.") }
