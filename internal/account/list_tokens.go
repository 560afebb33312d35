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

// tokenList identifies the list in its cursors.
type tokenList struct{ TokensOf uuid.UUID }

// ListTokens returns a page of the caller's tokens, newest first. A cursor that is
// damaged is fault.InvalidCursor, one of another user's list fault.CursorMismatch.
func (s *Service) ListTokens(ctx context.Context, caller access.Caller, ask page.Ask) (page.Page[Token], error) {
	return page.Read(ask, tokenList{caller.UserID}, uuid.Max, func(before uuid.UUID, n int32) ([]Token, error) {
		rows, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]db.Token, error) {
			return db.New().TokenList(ctx, conn, db.TokenListParams{UserID: caller.UserID, Before: before, Page: n})
		})
		tokens := make([]Token, len(rows))
		for i, row := range rows {
			tokens[i] = tokenOf(row)
		}
		return tokens, err
	}, func(t Token) uuid.UUID { return t.ID })
}
