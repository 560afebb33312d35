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

// Authenticate tells who is asking, by the token that came with the request.
func (s *Service) Authenticate(ctx context.Context, bearer string) (access.Caller, error) {
	secret, ok := ParseSecret(bearer)
	if !ok {
		return access.Nobody, fault.TokenInvalid.New("This is not a token of this service; it may be mistyped or cut off.")
	}
	token, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.TokenAuthenticateRow, error) {
		token, err := db.New().TokenAuthenticate(ctx, conn, secret.Hash())
		if err == nil && token.Stale && !token.Expired {
			// When this fails, a date in a list is a little old; the request goes on.
			_ = db.New().TokenTouch(ctx, conn, token.ID)
		}
		return token, err
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return access.Nobody, fault.TokenInvalid.New("This token is unknown or was revoked.")
	case err != nil:
		return access.Nobody, err
	case token.Expired:
		return access.Nobody, fault.TokenExpired.New("This token has expired.")
	}
	return access.Caller{UserID: token.UserID, TokenID: token.ID, Role: access.Role(token.Role), Abilities: token.Abilities}, nil
}
