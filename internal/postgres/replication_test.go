//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"testing"

	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/testkit"
)

// PostgreSQL answers a COMMIT whose wait for the standby was cancelled as if the
// standby had the change.
func TestCommitWithoutItsStandbyIsUnknown(t *testing.T) {
	testkit.SkipIfShort(t, "it starts a server")
	t.Parallel()
	url := testkit.Embedded(t, testkit.ServerDir(t)).AdminURL()
	must(t, testkit.ExecOn(url, "CREATE TABLE notes (text text)"))
	must(t, testkit.ExecOn(url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"))
	must(t, testkit.ExecOn(url, "SELECT pg_reload_conf()"))
	pool, err := postgres.Open(t.Context(), url, postgres.PoolOptions{MaxConns: 1})
	must(t, err)
	t.Cleanup(pool.Close)
	committed := make(chan error, 1)
	commit := func() error { return postgres.InTx(t.Context(), pool, run("INSERT INTO notes VALUES ('kept')")) }
	go func() {
		// The server begins to wait when its checkpointer has read the setting.
		for {
			if err := commit(); err != nil {
				committed <- err
				return
			}
		}
	}()
	testkit.Await(t, "a commit waits for the standby", func() error {
		if testkit.QueryOn[int](t, url, "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	err = <-committed
	wantFault(t, err, fault.OutcomeUnknown)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want to be told by the server", err)
	}

	must(t, testkit.ExecOn(url, "ALTER SYSTEM RESET synchronous_standby_names"))
	must(t, testkit.ExecOn(url, "SELECT pg_reload_conf()"))
	testkit.Await(t, "the same connection commits again", commit)
}
