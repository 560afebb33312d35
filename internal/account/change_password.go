package account

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// ChangePassword replaces the caller's password and revokes all their other
// tokens, so that somebody who knew the old password is logged out. A wrong current
// password, or a new one that is easy to guess, is fault.ValidationFailed; too many wrong
// ones before are fault.LoginThrottled, too many logins at once fault.Overloaded.
func (s *Service) ChangePassword(ctx context.Context, caller access.Caller, current, next string) error {
	var in input
	next = in.password("/new_password", next)
	if err := in.err(); err != nil {
		return err
	}
	user, err := s.confirm(ctx, caller, current)
	if err != nil {
		return err
	}
	hash, err := s.hasher.hash(ctx, "/new_password", next, user.Name, user.Email)
	if err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		now, err := db.New().UserLock(ctx, tx, caller.UserID)
		if err != nil {
			return errCallerDeleted(err)
		}
		if err := user.checkUnchanged(now); err != nil {
			return err
		}
		if err := db.New().UserSetPassword(ctx, tx, db.UserSetPasswordParams{ID: user.ID, PasswordHash: &hash}); err != nil {
			return err
		}
		// The token stays, though the one that made it goes: the password was known.
		if err := db.New().TokenSetFree(ctx, tx, caller.TokenID); err != nil {
			return err
		}
		return db.New().TokensDeleteOthers(ctx, tx, db.TokensDeleteOthersParams{UserID: user.ID, KeepID: caller.TokenID})
	})
}

// confirmed is a user whose password was sent, as they were then. The zero value is nobody.
type confirmed db.User

// confirm checks the caller's password. A wrong one is fault.ValidationFailed or
// fault.LoginThrottled, as for logins.
func (s *Service) confirm(ctx context.Context, caller access.Caller, password string) (confirmed, error) {
	leave, err := s.hasher.enter(ctx)
	if err != nil {
		return confirmed{}, err
	}
	defer leave()
	user, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) {
		return db.New().UserFind(ctx, conn, caller.UserID)
	})
	if err != nil {
		return confirmed{}, errCallerDeleted(err)
	}
	matches, err := s.guess(ctx, user.Email, *user.PasswordHash, password)
	if err == nil && !matches {
		err = errWrongPassword()
	}
	if err != nil {
		return confirmed{}, err
	}
	return confirmed(user), nil
}

// checkUnchanged refuses what the password was sent for if it was changed since. Hashing
// takes long, so it is done before the user is locked: of two changes that were confirmed
// with the same password, only one may succeed.
func (c confirmed) checkUnchanged(now db.User) error {
	if c.PasswordHash == nil || *now.PasswordHash != *c.PasswordHash {
		return errWrongPassword()
	}
	return nil
}

func errWrongPassword() error {
	return fault.Invalid(fault.Field{Pointer: "/current_password", Code: "wrong", Detail: "is not the current password"})
}
