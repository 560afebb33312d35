package idempotency

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/postgres"
)

// InTx is postgres.InTx for a request with an optional key. If the key is known,
// InTx returns its stored response, or fault.IdempotencyKeyReused if that belongs
// to another request. Otherwise it runs fn, which has its effect in tx and renders
// the response, and stores that in the same transaction. Errors of fn are not
// stored: they had no effect. lock takes the locks that come before the key's user in
// the lock order.
func InTx(ctx context.Context, pool *pgxpool.Pool, key *Key, lock func(tx pgx.Tx) error, fn func(tx pgx.Tx) (Response, error)) (Response, error) {
	return postgres.InTxReturning(ctx, pool, func(tx pgx.Tx) (Response, error) {
		if key == nil {
			return fn(tx)
		}
		if err := lock(tx); err != nil {
			return Response{}, err
		}
		if response, found, err := lookUp(ctx, tx, key); found || err != nil {
			return response, err
		}
		if err := checkQuota(ctx, tx, key); err != nil {
			return Response{}, err
		}
		response, err := fn(tx)
		if err != nil {
			return Response{}, err
		}
		return response, store(ctx, tx, key, response)
	})
}

// lookUp finds the stored response. A duplicate in flight waits here for the user's
// lock until the first request has committed. The key is read by a statement of its
// own: one that waited for the lock itself would not see that commit.
func lookUp(ctx context.Context, tx pgx.Tx, key *Key) (Response, bool, error) {
	q := db.New()
	if _, err := q.UsersLock(ctx, tx, []uuid.UUID{key.UserID}); err != nil {
		return Response{}, false, fmt.Errorf("lock the key's user: %w", err)
	}
	rows, err := q.IdempotencyKeysLoad(ctx, tx, db.IdempotencyKeysLoadParams{
		UserIds: []uuid.UUID{key.UserID}, Keys: []string{key.Value}})
	if err != nil || len(rows) == 0 {
		return Response{}, false, err
	}
	if err := key.Check(rows[0].Fingerprint); err != nil {
		return Response{}, false, err
	}
	response, err := Stored(rows[0])
	response.Replayed = true
	return response, true, err
}

// checkQuota refuses a new key of a user who has used too many.
func checkQuota(ctx context.Context, tx pgx.Tx, key *Key) error {
	if key.Quota == 0 {
		return nil
	}
	used, err := db.New().IdempotencyKeysCount(ctx, tx, []uuid.UUID{key.UserID})
	if err != nil || len(used) == 0 {
		return err
	}
	return key.CheckQuota(int(used[0].Keys), used[0].FirstAt)
}

func store(ctx context.Context, tx pgx.Tx, key *Key, r Response) error {
	header, err := json.Marshal(r.Header)
	if err != nil {
		return fmt.Errorf("header of the response: %w", err)
	}
	return db.New().IdempotencyKeysInsert(ctx, tx, db.IdempotencyKeysInsertParams{
		UserIds: []uuid.UUID{key.UserID}, Keys: []string{key.Value}, Fingerprints: [][]byte{key.Fingerprint},
		Statuses: []int32{int32(r.Status)}, Headers: [][]byte{header}, Bodies: [][]byte{r.Body},
	})
}

// Stored decodes a stored response.
func Stored(row db.IdempotencyKey) (Response, error) {
	r := Response{Status: int(row.Status), Body: row.Body}
	if err := json.Unmarshal(row.Header, &r.Header); err != nil {
		return Response{}, fmt.Errorf("stored header of an idempotency key: %w", err)
	}
	return r, nil
}

// sweepPage is how many keys one Sweep deletes at most.
const sweepPage = 1000

// Sweep deletes up to 1000 keys that are older than Retention, and returns how many
// it deleted. A cancelled ctx is no error.
func Sweep(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
	n, err := postgres.InTxReturning(ctx, pool, func(tx pgx.Tx) (int64, error) { // for its timeouts
		return db.New().IdempotencyKeysDeleteOld(ctx, tx, db.IdempotencyKeysDeleteOldParams{
			Before: time.Now().Add(-Retention), Page: sweepPage})
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		return 0, fmt.Errorf("delete old idempotency keys: %w", err)
	}
	return n, nil
}
