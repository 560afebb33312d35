package account

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/text"
)

// ChangePassword replaces the caller's password and revokes all their other
// tokens, so that somebody who knew the old password is logged out. A wrong current
// password is fault.ValidationFailed; too many logins at once are fault.Overloaded.
func (s *Service) ChangePassword(ctx context.Context, caller access.Caller, current, next string) error {
	user, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) {
		return db.New().UserFind(ctx, conn, caller.UserID)
	})
	if err != nil {
		return errCallerDeleted(err)
	}
	matches, err := s.hasher.matches(ctx, *user.PasswordHash, text.PasswordSpellings(current))
	if err != nil {
		return err
	}
	if !matches {
		return errWrongPassword()
	}
	hash, err := s.hasher.hash(ctx, text.Password(next))
	if err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		now, err := db.New().UserLock(ctx, tx, caller.UserID)
		if err != nil {
			return errCallerDeleted(err)
		}
		// Hashing takes long, so it is done before the lock. Of two concurrent changes
		// that were checked against the same current password, only one may succeed.
		if *now.PasswordHash != *user.PasswordHash {
			return errWrongPassword()
		}
		if err := db.New().UserSetPassword(ctx, tx, db.UserSetPasswordParams{ID: user.ID, PasswordHash: &hash}); err != nil {
			return err
		}
		return db.New().TokensDeleteOthers(ctx, tx, db.TokensDeleteOthersParams{UserID: user.ID, KeepID: caller.TokenID})
	})
}

func errWrongPassword() error {
	return fault.Invalid(fault.Field{Pointer: "/current_password", Code: "wrong", Detail: "is not the current password"})
}
