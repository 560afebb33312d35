package account

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// CreateToken makes a token for the caller, which cannot have more abilities than
// the caller's own token (fault.AbilityMissing). It dies with that one, unless the request
// has the password. A blank name, a wrong password or too many tokens are
// fault.ValidationFailed, an expiry in the past, more than a year ahead or after that of
// the caller's token fault.InvalidTimeRange, a token or user deleted meanwhile
// fault.TokenInvalid. Too many wrong passwords before are fault.LoginThrottled.
func (s *Service) CreateToken(ctx context.Context, caller access.Caller, request TokenRequest) (NewToken, error) {
	var in input
	request.Name = in.line("/name", request.Name)
	if err := in.err(); err != nil {
		return NewToken{}, err
	}
	for _, ability := range request.Abilities {
		if !caller.Can(ability) {
			return NewToken{}, fault.AbilityMissing.Newf("The token lacks the ability %s, so a token created with it cannot have it.", ability)
		}
	}
	var owner confirmed
	if request.CurrentPassword != nil {
		var err error
		if owner, err = s.confirm(ctx, caller, *request.CurrentPassword); err != nil {
			return NewToken{}, err
		}
	}
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (NewToken, error) {
		user, err := db.New().UserLock(ctx, tx, caller.UserID)
		if err != nil {
			return NewToken{}, errCallerDeleted(err)
		}
		parent, err := parentTx(ctx, tx, caller)
		if err != nil {
			return NewToken{}, err
		}
		if request.CurrentPassword == nil {
			return issueTokenTx(ctx, tx, caller.UserID, request, &parent)
		}
		if err := owner.checkUnchanged(user); err != nil {
			return NewToken{}, err
		}
		return issueTokenTx(ctx, tx, caller.UserID, request, nil)
	})
}

// parentTx returns the caller's token, under the user's lock, if it may make another one:
// it must still exist, and the user have fewer than maxTokens. Without the first check, a
// token that is revoked during its request could leave a new token behind.
func parentTx(ctx context.Context, tx pgx.Tx, caller access.Caller) (db.Token, error) {
	parent, err := db.New().TokenGet(ctx, tx, db.TokenGetParams{ID: caller.TokenID, UserID: caller.UserID})
	if errors.Is(err, pgx.ErrNoRows) {
		return parent, fault.TokenInvalid.New("The token was revoked.")
	}
	if err != nil {
		return parent, err
	}
	working, err := db.New().TokensCountWorking(ctx, tx, caller.UserID)
	if err == nil && working >= maxTokens {
		f := fault.ValidationFailed.Newf("You have %d tokens; the limit is %d. Revoke one first: DELETE /api/v1/me/tokens/{token_id}.", working, maxTokens)
		f.Fields = []fault.Field{{Pointer: "", Code: "too_many_tokens", Detail: "would exceed the limit of tokens"}}
		err = f
	}
	return parent, err
}

// issueTokenTx makes a token for a user whose row the transaction has locked or
// inserted. If that would exceed maxTokens, it deletes expired tokens, then those
// that expire next, so that earlier logins never prevent a new one. The new one dies with
// its parent, if it has one.
func issueTokenTx(ctx context.Context, tx pgx.Tx, userID uuid.UUID, request TokenRequest, parent *db.Token) (NewToken, error) {
	var end *time.Time
	var parentID *uuid.UUID
	if parent != nil {
		end, parentID = parent.ExpiresAt, &parent.ID
	}
	expires, err := request.expiry(time.Now(), end)
	if err != nil {
		return NewToken{}, err
	}
	if err := db.New().TokensKeep(ctx, tx, db.TokensKeepParams{UserID: userID, Keep: maxTokens - 1}); err != nil {
		return NewToken{}, err
	}
	secret := NewSecret()
	row, err := db.New().TokenInsert(ctx, tx, db.TokenInsertParams{ID: uuid.Must(uuid.NewV7()), UserID: userID,
		Name: request.Name, Hash: secret.Hash(), Abilities: request.Abilities, ExpiresAt: expires, ParentID: parentID})
	if err != nil {
		return NewToken{}, err
	}
	return NewToken{Token: tokenOf(row), Secret: secret}, nil
}
