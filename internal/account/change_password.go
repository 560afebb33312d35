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

// ChangePassword replaces the caller's password and revokes all other tokens:
// who changes it because somebody else knows it wants that one out.
func (s *Service) ChangePassword(ctx context.Context, caller access.Caller, current, next string) error {
	user, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.User, error) {
		return db.New().UserFind(ctx, conn, caller.UserID)
	})
	if err != nil {
		return gone(err)
	}
	right, err := s.passwords.matches(ctx, *user.PasswordHash, current)
	if err != nil {
		return err
	}
	if !right {
		return wrongPassword()
	}
	hash, err := s.passwords.hash(ctx, next)
	if err != nil {
		return err
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		now, err := db.New().UserLock(ctx, tx, caller.UserID)
		if err != nil {
			return gone(err)
		}
		// Hashing takes long, so it is done before the lock; two changes at once
		// must not both go by the same current password.
		if *now.PasswordHash != *user.PasswordHash {
			return wrongPassword()
		}
		if err := db.New().UserSetPassword(ctx, tx, db.UserSetPasswordParams{ID: user.ID, PasswordHash: &hash}); err != nil {
			return err
		}
		return db.New().TokensDeleteOthers(ctx, tx, db.TokensDeleteOthersParams{UserID: user.ID, KeepID: caller.TokenID})
	})
}

func wrongPassword() error {
	return fault.Invalid(fault.Field{Pointer: "/current_password", Code: "wrong", Detail: "is not the present password"})
}
