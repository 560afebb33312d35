package account

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// Authenticate returns the user, role and abilities of a bearer token, and notes at
// most once a minute that the token was used. An unknown, mistyped or revoked
// token is fault.TokenInvalid, an expired one fault.TokenExpired.
func (s *Service) Authenticate(ctx context.Context, bearer string) (access.Caller, error) {
	secret, ok := ParseSecret(bearer)
	if !ok {
		return access.Nobody, fault.TokenInvalid.New("The token is malformed; it may be mistyped or incomplete.")
	}
	token, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.TokenAuthenticateRow, error) {
		token, err := db.New().TokenAuthenticate(ctx, conn, secret.Hash())
		if err == nil && token.Stale && !token.Expired {
			// A failure is ignored: last_used_at is then a little older than it should be.
			_ = db.New().TokenTouch(ctx, conn, token.ID)
		}
		return token, err
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return access.Nobody, fault.TokenInvalid.New("The token is unknown or was revoked.")
	case err != nil:
		return access.Nobody, err
	case token.Expired:
		return access.Nobody, fault.TokenExpired.New("The token has expired.")
	}
	return access.Caller{UserID: token.UserID, TokenID: token.ID, Role: access.Role(token.Role), Abilities: token.Abilities}, nil
}
