//go:build unix

package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// leave is the body of a deletion of a user of testkit.User.
const leave = `{"current_password": "` + testkit.Password + `"}`

// env is the service with its own database, in which it has the rights of a role that
// serves, and a client without a token that repeats requests when the service is busy.
type env struct {
	*testkit.Client
	t    testing.TB
	pool *pgxpool.Pool
	app  *server.App
}

func newEnv(t testing.TB, edits ...func(*server.Config)) *env {
	t.Helper()
	owner := testkit.DatabaseURL(t)
	runtime := testkit.RuntimeURL(t, owner)
	config := server.Config{
		DatabaseURL: runtime, KeepIndexes: true, MaxConns: 8, Workers: true, RequestTimeout: time.Minute,
		PollJobs: testkit.Pooled(),
		Log:      slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, edit := range edits {
		edit(&config)
	}
	if config.DatabaseURL != runtime {
		owner = config.DatabaseURL
	}
	app, err := server.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(app.Handler())
	t.Cleanup(func() {
		listener.Close()
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &env{
		Client: testkit.NewClient(t, listener.URL).RetryBusy(), t: t, app: app,
		pool: testkit.Connect(t, owner, testkit.MaxConns(4)),
	}
}

// user returns a new user, and a client with their token. Without abilities, the token
// has all.
func (h *env) user(role access.Role, abilities ...string) (access.Caller, *testkit.Client) {
	h.t.Helper()
	caller := testkit.User(h.t, h.pool, role)
	return caller, h.token(caller, abilities...)
}

// token returns a client with a new token of a user.
func (h *env) token(caller access.Caller, abilities ...string) *testkit.Client {
	h.t.Helper()
	secret := account.NewSecret()
	h.issue(caller, secret, abilities...)
	return h.As(string(secret))
}

// issue inserts a token of a user.
func (h *env) issue(caller access.Caller, secret account.Secret, abilities ...string) uuid.UUID {
	h.t.Helper()
	if len(abilities) == 0 {
		abilities = []string{"*"}
	}
	id := testkit.ID()
	testkit.Exec(h.t, h.pool, "INSERT INTO tokens (id, user_id, name, hash, abilities) VALUES ($1, $2, 'Test', $3, $4)",
		id, caller.UserID, secret.Hash(), abilities)
	return id
}

// rows counts the rows of a table.
func (h *env) rows(table string) (n int) {
	h.t.Helper()
	if err := h.pool.QueryRow(h.t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// in returns the same env for a subtest.
func (h *env) in(t testing.TB) *env {
	sub := *h
	sub.t, sub.Client = t, testkit.NewClient(t, h.Base()).RetryBusy()
	return &sub
}

// eventually waits until holds returns true, for 30 seconds at most. The clause what
// completes "waiting until".
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	testkit.Await(t, what, func() error {
		if !holds() {
			return errors.New("not yet")
		}
		return nil
	})
}
