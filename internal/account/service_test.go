//go:build unix

package account_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

const password = "correct horse"

// env is a service with its own database.
type env struct {
	*account.Service
	pool *pgxpool.Pool
	// deleted are the users for whom OnDelete was called; refuse is the error that it returns.
	deleted []uuid.UUID
	refuse  error
}

func newEnv(t *testing.T, opts ...testkit.Option) *env {
	t.Helper()
	h := &env{pool: testkit.DatabaseWith(t, opts...)}
	h.Service = account.New(h.pool, account.Options{OnDelete: func(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
		h.deleted = append(h.deleted, id)
		return errors.Join(h.refuse, tx.Conn().Ping(ctx))
	}})
	return h
}

// join registers a user, and returns the login and the caller with its token.
func (h *env) join(t *testing.T, email string) (account.Login, access.Caller) {
	t.Helper()
	login, err := h.Register(t.Context(), account.Registration{Email: email, Name: "New Comer", Password: password})
	must(t, err)
	return login, h.caller(t, login.Token.Secret)
}

// admin returns a new administrator as the caller.
func (h *env) admin(t *testing.T, email string) access.Caller {
	t.Helper()
	login, _ := h.join(t, email)
	h.exec(t, "UPDATE users SET role = 'admin' WHERE id = $1", login.User.ID)
	return h.caller(t, login.Token.Secret)
}

func (h *env) caller(t *testing.T, secret account.Secret) access.Caller {
	t.Helper()
	caller, err := h.Authenticate(t.Context(), string(secret))
	must(t, err)
	return caller
}

func (h *env) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := h.pool.Exec(t.Context(), sql, args...)
	must(t, err)
}

func (h *env) count(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	must(t, h.pool.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

// whileLocked calls do, which must wait for the user's row, and meanwhile executes
// change in the transaction that holds the row. It returns the error of do.
func (h *env) whileLocked(t *testing.T, userID uuid.UUID, change string, do func() error) error {
	t.Helper()
	tx, err := h.pool.Begin(t.Context())
	must(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = tx.Exec(t.Context(), "SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", userID)
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- do() }()
	for h.count(t, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0 {
		select {
		case err := <-done:
			t.Fatalf("it did not wait for the user's row: %v", err)
		default:
		}
	}
	_, err = tx.Exec(t.Context(), change)
	must(t, err)
	must(t, tx.Commit(t.Context()))
	return <-done
}

// together runs fn n times at once.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { fn(i) })
	}
	all.Wait()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isFault(t *testing.T, err error, code *fault.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Errorf("got %v, want %s", err, code.Name)
	}
}

// isWrong expects a validation error with one field.
func isWrong(t *testing.T, err error, code *fault.Code, pointer string) {
	t.Helper()
	isFault(t, err, code)
	if f := fault.Of(err); f == nil || len(f.Fields) != 1 || f.Fields[0].Pointer != pointer {
		t.Errorf("got %+v, want one entry for %s", f, pointer)
	}
}

func address(i int) string { return fmt.Sprintf("user%d@test.com", i) }

func to[T any](v T) *T { return &v }
