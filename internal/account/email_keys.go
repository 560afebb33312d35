package account

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/postgres"
)

const (
	// keyPage is how many users' keys are computed in one transaction.
	keyPage = 500
	// keyTries is how often a page is tried, if somebody takes one of its keys meanwhile.
	keyTries = 3
)

// Keyless is a user who cannot have a key of their address. They log in with the
// address exactly as it is stored.
type Keyless struct {
	UserID uuid.UUID
	// Holder is the older user who has the key; nil if the address is one that nobody
	// could register now, because it has invisible characters or no valid domain.
	Holder uuid.UUID
}

// FillEmailKeys computes the keys of the users who have none: those of earlier
// versions, in the order in which they were made, so that of two users with one key the
// older gets it. It can stop anywhere and be repeated, also while the service runs, and
// returns the users who stay without.
func FillEmailKeys(ctx context.Context, pool *pgxpool.Pool) (keyless []Keyless, err error) {
	for after := uuid.Nil; ; {
		page, err := postgres.Read(ctx, pool, func(conn *pgxpool.Conn) ([]db.UsersWithoutEmailKeyRow, error) {
			return db.New().UsersWithoutEmailKey(ctx, conn, db.UsersWithoutEmailKeyParams{AfterID: after, Page: keyPage})
		})
		if err != nil || len(page) == 0 {
			return keyless, err
		}
		left, err := fillPage(ctx, pool, page)
		if err != nil {
			return keyless, err
		}
		keyless = append(keyless, left...)
		after = page[len(page)-1].ID
	}
}

// fillPage sets the keys of a page of users, and returns those who get none.
func fillPage(ctx context.Context, pool *pgxpool.Pool, page []db.UsersWithoutEmailKeyRow) (keyless []Keyless, err error) {
	var keyed db.UsersSetEmailKeysParams
	first := map[string]uuid.UUID{} // who gets a key
	keys := map[uuid.UUID]string{}
	for _, user := range page {
		key := KeyOf(user.Email)
		if key == nil {
			keyless = append(keyless, Keyless{UserID: user.ID})
			continue
		}
		keys[user.ID] = *key
		if _, taken := first[*key]; !taken {
			first[*key] = user.ID
			keyed.Ids, keyed.Emails, keyed.Keys = append(keyed.Ids, user.ID), append(keyed.Emails, user.Email), append(keyed.Keys, *key)
		}
	}
	var holders []db.UsersByEmailKeysRow
	for try := 0; ; try++ {
		err = postgres.InTx(ctx, pool, func(tx pgx.Tx) (err error) {
			if _, err := db.New().UsersLock(ctx, tx, keyed.Ids); err != nil {
				return err
			}
			if err := db.New().UsersSetEmailKeys(ctx, tx, keyed); err != nil {
				return err
			}
			holders, err = db.New().UsersByEmailKeys(ctx, tx, keyed.Keys)
			return err
		})
		if !postgres.Violates(err, oneEmailKey) || try == keyTries-1 {
			break
		}
	}
	for _, holder := range holders {
		first[holder.EmailKey] = holder.ID
	}
	for _, user := range page {
		if key, known := keys[user.ID]; known && first[key] != user.ID {
			keyless = append(keyless, Keyless{UserID: user.ID, Holder: first[key]})
		}
	}
	return keyless, err
}
