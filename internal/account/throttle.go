package account

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/view"
)

// throttle keeps delays after wrong passwords in the database, so that all processes
// share them and a restart forgets none.
type throttle struct {
	pool *pgxpool.Pool

	mu     sync.Mutex
	secret []byte // of the keys; nil until it is known
}

// secretSize is the size of the key of an HMAC, in bytes.
const secretSize = 32

// guess is an attempt that was counted: the keys of its delays, in the order of the fields
// of attempt. A zero guess was not.
type guess struct{ keys [3][]byte }

// begin counts an attempt to log in with an e-mail address, from the address of the
// request, as a wrong one. Nothing is kept open until its outcome is known: settle takes it
// back. Too early, it is fault.LoginThrottled. Requests whose address is not known, and a
// nil throttle, delay nothing.
func (t *throttle) begin(ctx context.Context, email string) (guess, error) {
	address := access.AddressFrom(ctx)
	if t == nil || address == "" {
		return guess{}, nil
	}
	secret, err := t.loadSecret(ctx)
	if err != nil {
		return guess{}, err
	}
	account := accountOf(email)
	g := guess{[3][]byte{keyed(secret, "pair", account, address), keyed(secret, "account", account), keyed(secret, "address", address)}}
	wait, err := postgres.InTxReturning(ctx, t.pool, func(tx pgx.Tx) (time.Duration, error) {
		a, now, err := g.lockTx(ctx, tx)
		if err != nil {
			return 0, err
		}
		wait, isAsked := a.begin(now)
		if wait > 0 && !isAsked {
			return 0, errThrottled(wait) // the rows that were made for it go, too
		}
		return wait, g.writeTx(ctx, tx, a)
	})
	if err == nil && wait > 0 {
		err = errThrottled(wait)
	}
	return g, err
}

// settle changes the delays of a guess by its outcome. If that fails, the guess stays
// counted as wrong.
func (t *throttle) settle(ctx context.Context, g guess, outcome func(*attempt, time.Time)) {
	if g.keys[0] == nil {
		return
	}
	// Also where the request's time is up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	_ = postgres.InTx(ctx, t.pool, func(tx pgx.Tx) error {
		a, now, err := g.lockTx(ctx, tx)
		if err != nil {
			return err
		}
		outcome(a, now)
		return g.writeTx(ctx, tx, a)
	})
}

const settleTimeout = time.Second

// lockTx locks and reads the delays of a guess. Those that are missing are made.
func (g guess) lockTx(ctx context.Context, tx pgx.Tx) (a *attempt, now time.Time, err error) {
	rows, err := db.New().LoginDelaysLock(ctx, tx, g.keys[:])
	if err != nil {
		return nil, now, err
	}
	a = &attempt{}
	for _, row := range rows {
		now = row.Now
		i := slices.IndexFunc(g.keys[:], func(key []byte) bool { return bytes.Equal(key, row.Key) })
		*a.delays()[i] = delay{row.ForgottenAt, row.NextAt}
	}
	return a, now, nil
}

func (g guess) writeTx(ctx context.Context, tx pgx.Tx, a *attempt) error {
	written := db.LoginDelaysWriteParams{Keys: g.keys[:]}
	for _, d := range a.delays() {
		written.ForgottenAt, written.NextAt = append(written.ForgottenAt, d.forgottenAt), append(written.NextAt, view.OrElse(d.nextAt, d.forgottenAt))
	}
	return db.New().LoginDelaysWrite(ctx, tx, written)
}

func (a *attempt) delays() [3]*delay { return [3]*delay{&a.pair, &a.account, &a.address} }

// loadSecret returns the secret that all processes share.
func (t *throttle) loadSecret(ctx context.Context) ([]byte, error) {
	t.mu.Lock()
	secret := t.secret
	t.mu.Unlock()
	if secret != nil {
		return secret, nil
	}
	made := make([]byte, secretSize)
	_, _ = rand.Read(made) // never fails
	secret, err := postgres.InTxReturning(ctx, t.pool, func(tx pgx.Tx) ([]byte, error) {
		if err := db.New().LoginSecretMake(ctx, tx, made); err != nil {
			return nil, err
		}
		return db.New().LoginSecretGet(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.secret = secret
	return secret, nil
}

// keyed is the HMAC-SHA-256 of texts. None of them has U+0000.
func keyed(secret []byte, texts ...string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(strings.Join(texts, "\x00")))
	return mac.Sum(nil)
}

// accountOf is the account of an e-mail address, whether there is one or not.
func accountOf(email string) string {
	email = strings.TrimSpace(email)
	if key := KeyOf(email); key != nil {
		return *key
	}
	return strings.ToLower(email)
}

func errThrottled(wait time.Duration) error {
	wait = wait.Truncate(time.Second) + time.Second
	return fault.LoginThrottled.Newf("Too many wrong passwords were sent for this account, or from this address. Wait %s.", wait).After(wait)
}

// The number of rows that are kept, at some 200 bytes each, and how many are deleted at
// once.
const (
	maxDelays  = 100_000
	delaysPage = 5000
)

// DeleteOldDelays deletes delays that are over and, of more than can be kept, those that
// are over first. It does a page, and says whether more may be left.
func DeleteOldDelays(ctx context.Context, pool *pgxpool.Pool) (more bool, err error) {
	n, err := postgres.InTxReturning(ctx, pool, func(tx pgx.Tx) (int64, error) {
		return db.New().LoginDelaysDeleteOld(ctx, tx, db.LoginDelaysDeleteOldParams{Most: maxDelays, Page: delaysPage})
	})
	return n == delaysPage, err
}
