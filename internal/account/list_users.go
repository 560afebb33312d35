package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
)

// UserFilter narrows the list of users; nil matches any. It also identifies the
// list in its cursors.
type UserFilter struct {
	Email, Role *string
}

// ListUsers returns a page of the users who are not deleted, newest first. A damaged
// cursor is fault.InvalidCursor, one of another filter fault.CursorMismatch.
func (s *Service) ListUsers(ctx context.Context, filter UserFilter, ask page.Ask) (page.Page[User], error) {
	var key *string
	if filter.Email != nil {
		key = KeyOf(*filter.Email)
	}
	return page.Read(ask, filter, uuid.Max, func(before uuid.UUID, n int32) ([]User, error) {
		rows, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]db.User, error) {
			return db.New().UserList(ctx, postgres.Planned(conn), db.UserListParams{Before: before, Email: filter.Email, EmailKey: key, Role: filter.Role, Page: n})
		})
		users := make([]User, len(rows))
		for i, row := range rows {
			users[i] = userOf(row)
		}
		return users, err
	}, func(u User) uuid.UUID { return u.ID })
}
