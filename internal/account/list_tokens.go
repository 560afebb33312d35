package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
)

// Tokens is a page of a user's tokens. Next is the cursor of the next page, and
// empty on the last one.
type Tokens struct {
	Tokens []Token
	Next   string
	More   bool
}

// tokenList identifies the list in its cursors.
type tokenList struct{ TokensOf uuid.UUID }

// ListTokens returns a page of the caller's tokens, newest first. A cursor that is
// damaged is fault.InvalidCursor, one of another user's list fault.CursorMismatch.
func (s *Service) ListTokens(ctx context.Context, caller access.Caller, limit *int, cursor *string) (Tokens, error) {
	list, before := tokenList{caller.UserID}, uuid.Max
	if err := page.After(cursor, list, &before); err != nil {
		return Tokens{}, err
	}
	size := page.Limit(limit)
	rows, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]db.Token, error) {
		return db.New().TokenList(ctx, conn, db.TokenListParams{UserID: caller.UserID, Before: before, Page: int32(size) + 1})
	})
	if err != nil {
		return Tokens{}, err
	}
	var tokens Tokens
	rows, tokens.Next, tokens.More, err = page.Cut(rows, size, list, func(row db.Token) any { return row.ID })
	for _, row := range rows {
		tokens.Tokens = append(tokens.Tokens, tokenOf(row))
	}
	return tokens, err
}
