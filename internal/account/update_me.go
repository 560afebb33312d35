package account

import (
	"context"

	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/postgres"
	"eventbooking/internal/view"
)

// Profile is what users can change of themselves; nil changes nothing.
type Profile struct{ Email, Name *string }

// UpdateMe changes the caller's name or e-mail address. A blank name or an invalid
// address is fault.ValidationFailed, an address that is in use fault.EmailTaken, a
// user who was deleted meanwhile fault.TokenInvalid.
func (s *Service) UpdateMe(ctx context.Context, caller access.Caller, p Profile) (User, error) {
	var in input
	var key string
	if p.Email != nil {
		*p.Email, key = in.email("/email", *p.Email)
	}
	if p.Name != nil {
		*p.Name = in.line("/name", *p.Name)
	}
	if err := in.err(); err != nil {
		return User{}, err
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (User, error) {
		row, err := db.New().UserLock(ctx, tx, caller.UserID)
		if err != nil {
			return User{}, errCallerDeleted(err)
		}
		change := db.UserUpdateParams{ID: row.ID, Email: row.Email, EmailKey: row.EmailKey, KeyedEmail: row.KeyedEmail,
			Name: view.OrElse(p.Name, row.Name)}
		if p.Email != nil {
			change.Email, change.EmailKey, change.KeyedEmail = *p.Email, &key, p.Email
		}
		if change.Email != row.Email || change.Name != row.Name {
			row, err = db.New().UserUpdate(ctx, tx, change)
		}
		return userOf(row), errEmailTaken(err)
	})
}
