package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/fault"
	"eventbooking/internal/page"
	"eventbooking/internal/postgres"
)

// Users is a page of users. Next is the cursor of the next page, and empty on the
// last one.
type Users struct {
	Users []User
	Next  string
	More  bool
}

// UserFilter narrows the list of users; nil matches any. It also identifies the
// list in its cursors.
type UserFilter struct {
	Email, Role *string
}

// ListUsers returns a page of the users who are not deleted, newest first. An
// e-mail address with control characters is fault.InvalidParameters, a damaged
// cursor fault.InvalidCursor, one of another filter fault.CursorMismatch.
func (s *Service) ListUsers(ctx context.Context, filter UserFilter, limit *int, cursor *string) (Users, error) {
	if filter.Email != nil && !isLine(*filter.Email) {
		return Users{}, fault.InvalidParameter("email", "format", "must be an e-mail address")
	}
	before := uuid.Max
	if err := page.After(cursor, filter, &before); err != nil {
		return Users{}, err
	}
	size := page.Limit(limit)
	rows, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) ([]db.User, error) {
		return db.New().UserList(ctx, conn, db.UserListParams{
			Before: before, Email: filter.Email, Role: filter.Role, Page: int32(size) + 1})
	})
	if err != nil {
		return Users{}, err
	}
	var users Users
	rows, users.Next, users.More, err = page.Cut(rows, size, filter, func(row db.User) any { return row.ID })
	for _, row := range rows {
		users.Users = append(users.Users, userOf(row))
	}
	return users, err
}
