package account

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// CreateToken makes one more token for the caller. It can do no more than the
// caller's own.
func (s *Service) CreateToken(ctx context.Context, caller access.Caller, wish TokenWish) (NewToken, error) {
	var in input
	wish.Name = in.line("/name", wish.Name)
	if err := in.err(); err != nil {
		return NewToken{}, err
	}
	for _, ability := range wish.Abilities {
		if !caller.Can(ability) {
			return NewToken{}, fault.AbilityMissing.Newf("A token can hand out only abilities that it has; this one lacks %s.", ability)
		}
	}
	var token NewToken
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := db.New().UserLock(ctx, tx, caller.UserID); err != nil {
			return gone(err)
		}
		if err := roomTx(ctx, tx, caller); err != nil {
			return err
		}
		var err error
		token, err = issueTx(ctx, tx, caller.UserID, wish)
		return err
	})
	return token, err
}

// roomTx sees under the user's lock whether the caller may have another token. A
// token that was revoked while its request was on the way must not live on in
// one that it makes.
func roomTx(ctx context.Context, tx pgx.Tx, caller access.Caller) error {
	standing, err := db.New().TokenStanding(ctx, tx, db.TokenStandingParams{ID: caller.TokenID, UserID: caller.UserID})
	switch {
	case err != nil:
		return err
	case !standing.Present:
		return fault.TokenInvalid.New("This token was revoked.")
	case standing.Working >= maxTokens:
		f := fault.ValidationFailed.Newf("You have %d tokens, and that is as many as one can have. Revoke one with DELETE /me/tokens/{token_id} first.", standing.Working)
		f.Fields = []fault.Field{{Pointer: "", Code: "too_many_tokens", Detail: "no more tokens can be made"}}
		return f
	}
	return nil
}

// issueTx makes a token for a user whose row the transaction has locked or made.
// When that would be too many, what has expired goes, then what expires next:
// nobody is kept from logging in by earlier logins.
func issueTx(ctx context.Context, tx pgx.Tx, userID uuid.UUID, wish TokenWish) (NewToken, error) {
	expires, err := wish.expiry(time.Now())
	if err != nil {
		return NewToken{}, err
	}
	if err := db.New().TokensKeep(ctx, tx, db.TokensKeepParams{UserID: userID, Keep: maxTokens - 1}); err != nil {
		return NewToken{}, err
	}
	secret := NewSecret()
	row, err := db.New().TokenInsert(ctx, tx, db.TokenInsertParams{ID: uuid.Must(uuid.NewV7()), UserID: userID,
		Name: wish.Name, Hash: secret.Hash(), Abilities: wish.Abilities, ExpiresAt: expires})
	if err != nil {
		return NewToken{}, err
	}
	return NewToken{Token: tokenOf(row), Secret: secret}, nil
}
