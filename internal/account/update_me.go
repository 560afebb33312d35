package account

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/view"
)

// Profile is what users can change of themselves; nil changes nothing. Another e-mail
// address needs the current password.
type Profile struct{ Email, Name, CurrentPassword *string }

// UpdateMe changes the caller's name or e-mail address. A blank name, an invalid
// address and a missing or wrong password are fault.ValidationFailed, an address that is
// in use is fault.EmailTaken, a user who was deleted meanwhile fault.TokenInvalid. Too many
// wrong passwords before are fault.LoginThrottled.
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
	before, err := s.confirmProfile(ctx, caller, p)
	if err != nil {
		return User{}, err
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (User, error) {
		row, err := db.New().UserLock(ctx, tx, caller.UserID)
		if err != nil {
			return User{}, errCallerDeleted(err)
		}
		if p.changesEmail(row) {
			if err := before.checkUnchanged(row); err != nil {
				return User{}, err
			}
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

// changesEmail says whether it has another address than the user.
func (p Profile) changesEmail(user db.User) bool { return p.Email != nil && *p.Email != user.Email }

// confirmProfile checks the password of a caller who wants another address.
func (s *Service) confirmProfile(ctx context.Context, caller access.Caller, p Profile) (confirmed, error) {
	if p.Email == nil {
		return confirmed{}, nil
	}
	user, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) {
		return db.New().UserFind(ctx, conn, caller.UserID)
	})
	switch {
	case err != nil:
		return confirmed{}, errCallerDeleted(err)
	case !p.changesEmail(user):
		return confirmed{}, nil
	case p.CurrentPassword == nil:
		return confirmed{}, fault.Invalid(fault.Field{Pointer: "/current_password", Code: "required", Detail: "is required for another e-mail address"})
	}
	return s.confirm(ctx, caller, *p.CurrentPassword)
}
