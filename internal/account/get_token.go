package account

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// GetToken returns one of the caller's tokens. If they have no token with this id,
// that is fault.NotFound.
func (s *Service) GetToken(ctx context.Context, caller access.Caller, tokenID uuid.UUID) (Token, error) {
	row, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.Token, error) {
		return db.New().TokenGet(ctx, conn, db.TokenGetParams{ID: tokenID, UserID: caller.UserID})
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Token{}, errNoToken()
	}
	return tokenOf(row), err
}

func errNoToken() error { return fault.NotFound.New("You have no such token.") }
