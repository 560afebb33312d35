//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/testkit"
)

func run(sql string) func(pgx.Tx) error {
	return func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), sql)
		return err
	}
}

func count(t *testing.T, pool *pgxpool.Pool, table string) (n int) {
	t.Helper()
	must(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

func wantFault(t *testing.T, err error, code *fault.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("got %v, want %s", err, code.Name)
	}
	if fault.Of(err).RetryAfter == 0 {
		t.Error("the fault has no RetryAfter")
	}
}

func TestInTxCommitsOrRollsBack(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	must(t, postgres.InTx(t.Context(), pool, run("CREATE TABLE notes (); INSERT INTO notes DEFAULT VALUES")))
	ours := errors.New("ours")
	err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		must(t, run("INSERT INTO notes DEFAULT VALUES")(tx))
		return ours
	})
	if err != ours { //nolint:errorlint // the same error, not a wrapped one
		t.Errorf("got %v, want the error of the function itself", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
			must(t, run("INSERT INTO notes DEFAULT VALUES")(tx))
			panic("bug")
		})
	}()
	if n := count(t, pool, "notes"); n != 1 {
		t.Errorf("%d notes, want the committed one", n)
	}
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections were not given back", n)
	}
}

// No default of a database or a role changes what the service relies on.
func TestInTxOverridesTheDatabasesDefaults(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	must(t, testkit.ExecOn(url, `DO $$ DECLARE bad text; BEGIN
		FOREACH bad IN ARRAY ARRAY['default_transaction_isolation TO serializable', 'default_transaction_read_only TO on',
			'synchronous_commit TO off', 'lock_timeout TO 0'] LOOP
			EXECUTE format('ALTER DATABASE %I SET %s', current_database(), bad);
		END LOOP; END $$`))
	want := map[string]string{"transaction_isolation": "read committed", "transaction_read_only": "off",
		"synchronous_commit": "on", "lock_timeout": "2s", "statement_timeout": "4s", "idle_in_transaction_session_timeout": "1s"}
	pool := testkit.Connect(t, url)
	must(t, postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		for name, value := range want {
			var got string
			must(t, tx.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got))
			if got != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
		return nil
	}))
	var after string
	must(t, pool.QueryRow(t.Context(), "SHOW lock_timeout").Scan(&after))
	if after != "0" {
		t.Errorf("the timeouts outlived their transaction: %s", after)
	}
}

// Two transactions lock the same rows in opposite order: one is the deadlock's
// victim and runs again, and both commit.
func TestInTxRetriesADeadlocksVictim(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	must(t, testkit.ExecOn(pool.Config().ConnString(), "CREATE TABLE rows (id int, n int); INSERT INTO rows VALUES (1, 0), (2, 0)"))
	var both sync.WaitGroup
	both.Add(2)
	swap := func(first, second int) error {
		met := sync.OnceFunc(func() { both.Done(); both.Wait() })
		return postgres.InTx(context.Background(), pool, func(tx pgx.Tx) error {
			if err := run(fmt.Sprintf("UPDATE rows SET n = n + 1 WHERE id = %d", first))(tx); err != nil {
				return err
			}
			met() // each holds its first row before either asks for its second
			return run(fmt.Sprintf("UPDATE rows SET n = n + 1 WHERE id = %d", second))(tx)
		})
	}
	other := make(chan error, 1)
	go func() { other <- swap(2, 1) }()
	must(t, swap(1, 2))
	must(t, <-other)
	var sum int
	must(t, pool.QueryRow(t.Context(), "SELECT sum(n) FROM rows").Scan(&sum))
	if sum != 4 {
		t.Errorf("%d updates, want 4", sum)
	}
}

func TestInTxGivesUpAfterItsRetries(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	for _, state := range []string{"40001", "40P01", "55P03"} {
		tries := 0
		err := postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
			tries++
			return run("DO $$ BEGIN RAISE 'lost' USING ERRCODE = '" + state + "'; END $$")(tx)
		})
		wantFault(t, err, fault.Contention)
		if tries != 1+postgres.Retries {
			t.Errorf("%s: %d tries, want %d", state, tries, 1+postgres.Retries)
		}
	}
}

func TestInTxDoesNotCommitForACancelledCaller(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := postgres.InTx(ctx, pool, func(tx pgx.Tx) error {
		cancel()
		return run("CREATE TABLE notes ()")(tx)
	})
	if !errors.Is(err, context.Canceled) || fault.Of(err) != nil {
		t.Errorf("got %v, want context.Canceled", err)
	}
	var there bool
	must(t, pool.QueryRow(t.Context(), "SELECT to_regclass('notes') IS NOT NULL").Scan(&there))
	if there {
		t.Error("it committed")
	}
}

// After a failed statement whose error was ignored, COMMIT answers ROLLBACK.
func TestInTxReportsAnIgnoredFailure(t *testing.T) {
	t.Parallel()
	err := postgres.InTx(t.Context(), testkit.Database(t), func(tx pgx.Tx) error {
		_ = run("SELECT 1/0")(tx)
		return nil
	})
	if !errors.Is(err, pgx.ErrTxCommitRollback) || fault.Of(err) != nil {
		t.Errorf("got %v, want an internal error", err)
	}
}

// atCommit runs a statement inside COMMIT, by a deferred trigger.
func atCommit(t *testing.T, statement string) (*pgxpool.Pool, func(pgx.Tx) error) {
	t.Helper()
	pool := testkit.Database(t)
	_, err := pool.Exec(t.Context(), `
		CREATE TABLE notes (n int);
		CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+statement+`; RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER late AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()`)
	must(t, err)
	return pool, run("INSERT INTO notes VALUES (1)")
}

func TestCommitWithoutAnAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	pool, insert := atCommit(t, "PERFORM pg_terminate_backend(pg_backend_pid())")
	wantFault(t, postgres.InTx(t.Context(), pool, insert), fault.OutcomeUnknown)
}

func TestRefusedCommitReturnsTheViolation(t *testing.T) {
	t.Parallel()
	pool, insert := atCommit(t, "RAISE 'no' USING ERRCODE = '23505', CONSTRAINT = 'notes_unique'")
	err := postgres.InTx(t.Context(), pool, insert)
	if !postgres.Violates(err, "notes_unique") || postgres.Violates(err, "notes_other") {
		t.Errorf("got %v, want the violation of notes_unique", err)
	}
	if fault.Of(err) != nil {
		t.Errorf("got the fault %v: only the caller knows what a violation means", err)
	}
}

func TestInTxOnALostConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	wantFault(t, postgres.InTx(t.Context(), pool, run("SELECT pg_terminate_backend(pg_backend_pid())")), fault.DatabaseUnavailable)
	must(t, postgres.InTx(t.Context(), pool, run("SELECT")))
}

func TestInTxIsBoundedByItsTimeouts(t *testing.T) {
	testkit.SkipIfShort(t, "it waits for several timeouts")
	t.Parallel()
	pool := testkit.Database(t)
	wantFault(t, postgres.InTx(t.Context(), pool, run("SELECT pg_sleep(30)")), fault.Overloaded)
	wantFault(t, postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		time.Sleep(postgres.DefaultTimeouts.Idle + time.Second) // a client that sends nothing
		return run("SELECT")(tx)
	}), fault.DatabaseUnavailable)
}

func TestInTxWithoutAFreeConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	pool := testkit.DatabaseWith(t, testkit.MaxConns(1))
	held, err := pool.Acquire(t.Context())
	must(t, err)
	wantFault(t, postgres.InTx(t.Context(), pool, run("SELECT")), fault.DatabaseUnavailable)
	held.Release()
	must(t, postgres.InTx(t.Context(), pool, run("SELECT")))
}

// The server may have fewer connections for this process than its pools want: then
// those that there are serve all.
func TestConnectionLimitOfTheServerIsWaitedOut(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyDatabaseURL(t)
	role := testkit.QueryOn[string](t, url, "SELECT 'few_' || replace(gen_random_uuid()::text, '-', '')")
	must(t, testkit.ExecOn(url, "CREATE ROLE "+role+" LOGIN CONNECTION LIMIT 1"))
	t.Cleanup(func() { must(t, testkit.ExecOn(url, "DROP ROLE "+role)) })
	pool := testkit.Connect(t, testkit.URLAs(t, url, role))
	// A machine under load may need longer than the wait, but not each time.
	testkit.Await(t, "somebody waits for the only connection", func() error {
		held, err := postgres.Acquire(t.Context(), pool)
		if err != nil {
			return err
		}
		waited := make(chan error, 1)
		go func() { waited <- postgres.InTx(t.Context(), pool, run("SELECT")) }()
		time.Sleep(30 * time.Millisecond) // the server refuses sooner
		held.Release()
		return <-waited
	})
}

// The server ends a statement of its own accord: nobody's context does here.
func TestStatementTimeoutOfAPoolBoundsReads(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Open(t.Context(), testkit.DatabaseURL(t), postgres.PoolOptions{MaxConns: 1, StatementTimeout: 50 * time.Millisecond})
	must(t, err)
	defer pool.Close()
	_, err = postgres.Read(context.Background(), pool, func(c *pgxpool.Conn) (n int, err error) {
		return n, c.QueryRow(context.Background(), "SELECT 1 FROM pg_sleep(60)").Scan(&n)
	})
	if !errors.Is(err, fault.Overloaded) {
		t.Errorf("got %v, want overloaded", err)
	}
	// A transaction has its own.
	must(t, postgres.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "SELECT pg_sleep(0.2)")
		return err
	}))
}
