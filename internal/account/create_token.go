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

// CreateToken makes a token for the caller, which cannot have more abilities than
// the caller's own token (fault.AbilityMissing). A blank name or too many tokens are
// fault.ValidationFailed, an expiry in the past or more than a year ahead
// fault.InvalidTimeRange, a token or user deleted meanwhile fault.TokenInvalid.
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
	return postgres.InTxReturning(ctx, s.pool, func(tx pgx.Tx) (NewToken, error) {
		if _, err := db.New().UserLock(ctx, tx, caller.UserID); err != nil {
			return NewToken{}, errCallerDeleted(err)
		}
		if err := checkCanCreateTokenTx(ctx, tx, caller); err != nil {
			return NewToken{}, err
		}
		return issueTokenTx(ctx, tx, caller.UserID, request)
	})
}

// checkCanCreateTokenTx checks, under the user's lock, that the caller's token still
// exists and that the user has fewer than maxTokens. Without the first check, a
// token that is revoked during its request could leave a new token behind.
func checkCanCreateTokenTx(ctx context.Context, tx pgx.Tx, caller access.Caller) error {
	standing, err := db.New().TokenStanding(ctx, tx, db.TokenStandingParams{ID: caller.TokenID, UserID: caller.UserID})
	switch {
	case err != nil:
		return err
	case !standing.Present:
		return fault.TokenInvalid.New("The token was revoked.")
	case standing.Working >= maxTokens:
		f := fault.ValidationFailed.Newf("You have %d tokens; the limit is %d. Revoke one first: DELETE /api/v1/me/tokens/{token_id}.", standing.Working, maxTokens)
		f.Fields = []fault.Field{{Pointer: "", Code: "too_many_tokens", Detail: "would exceed the limit of tokens"}}
		return f
	}
	return nil
}

// issueTokenTx makes a token for a user whose row the transaction has locked or
// inserted. If that would exceed maxTokens, it deletes expired tokens, then those
// that expire next, so that earlier logins never prevent a new one.
func issueTokenTx(ctx context.Context, tx pgx.Tx, userID uuid.UUID, request TokenRequest) (NewToken, error) {
	expires, err := request.expiry(time.Now())
	if err != nil {
		return NewToken{}, err
	}
	if err := db.New().TokensKeep(ctx, tx, db.TokensKeepParams{UserID: userID, Keep: maxTokens - 1}); err != nil {
		return NewToken{}, err
	}
	secret := NewSecret()
	row, err := db.New().TokenInsert(ctx, tx, db.TokenInsertParams{ID: uuid.Must(uuid.NewV7()), UserID: userID,
		Name: request.Name, Hash: secret.Hash(), Abilities: request.Abilities, ExpiresAt: expires})
	if err != nil {
		return NewToken{}, err
	}
	return NewToken{Token: tokenOf(row), Secret: secret}, nil
}
