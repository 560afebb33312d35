//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sync/errgroup"

	"eventbooking/internal/postgres"
	"eventbooking/internal/testkit"
)

// schema describes everything in a database that migrations make, but the
// record of the migrations themselves.
func schema(t *testing.T, url string) string {
	t.Helper()
	return testkit.QueryOn[string](t, url, `
		SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '') FROM (
			SELECT format('%s.%s %s %s', n.nspname, c.relname, c.relkind,
				(SELECT string_agg(format('%s %s', attname, atttypid::regtype), ', ' ORDER BY attname)
				 FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)) AS line
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
			UNION ALL SELECT conname || ' ' || pg_get_constraintdef(c.oid) FROM pg_constraint c
				JOIN pg_namespace n ON n.oid = connamespace WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
			UNION ALL SELECT proname || prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
				WHERE n.nspname IN ('public', 'river') AND probin IS NULL
			UNION ALL SELECT tgname || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
			UNION ALL SELECT typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace
				WHERE n.nspname IN ('public', 'river') AND typtype IN ('e', 'd')
		) AS everything WHERE line NOT LIKE '%schema_migrations%'`)
}

func TestMigrateDownLeavesNothingAndUpRestoresTheSchema(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyDatabaseURL(t)
	status := func() postgres.Status {
		s, err := postgres.MigrationStatus(t.Context(), url)
		must(t, err)
		return s
	}
	empty := schema(t, url)
	if s := status(); s.Version != 0 || s.River != 0 || s.Latest == 0 || s.RiverLatest == 0 || s.Current() {
		t.Errorf("status of an empty database: %+v", s)
	}
	must(t, postgres.MigrateUp(t.Context(), url))
	must(t, postgres.MigrateUp(t.Context(), url))
	whole := schema(t, url)
	if s := status(); !s.Current() {
		t.Errorf("after up: %+v", s)
	}
	must(t, postgres.MigrateDown(t.Context(), url, 1))
	if s := status(); s.Version >= s.Latest || s.River != s.RiverLatest {
		t.Errorf("after one step down: %+v", s)
	}
	must(t, postgres.MigrateUp(t.Context(), url))
	must(t, postgres.MigrateDown(t.Context(), url, 0))
	if left := schema(t, url); withoutExtension(left) != empty {
		t.Errorf("left after down:\n%s", left)
	}
	if s := status(); s.Version != 0 || s.River != 0 {
		t.Errorf("after down: %+v", s)
	}
	must(t, postgres.MigrateUp(t.Context(), url))
	if again := schema(t, url); again != whole {
		t.Errorf("the second MigrateUp made another schema:\n%s\nwant:\n%s", again, whole)
	}
}

// withoutExtension removes the objects of an extension, which may stay.
func withoutExtension(s string) string {
	var kept []string
	for line := range strings.Lines(s) {
		if !strings.Contains(line, "gbt_") && !strings.Contains(line, "gbtree") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// An older program must start on the database of a newer one.
func TestMigrateLeavesANewerDatabaseAlone(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	must(t, testkit.ExecOn(url, "UPDATE schema_migrations SET version = 999"))
	must(t, testkit.ExecOn(url, "INSERT INTO river.river_migration (line, version) VALUES ('main', 999)"))
	must(t, postgres.MigrateUp(t.Context(), url))
	if s, err := postgres.MigrationStatus(t.Context(), url); err != nil || s.Version != 999 || s.River != 999 || !s.Current() {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestMigrateDownByTooManyRevertsNothing(t *testing.T) {
	t.Parallel()
	for _, url := range []string{testkit.EmptyDatabaseURL(t), testkit.DatabaseURL(t)} {
		before, err := postgres.MigrationStatus(t.Context(), url)
		must(t, err)
		err = postgres.MigrateDown(t.Context(), url, int(before.Version)+1)
		if err == nil || !strings.Contains(err.Error(), "cannot revert") {
			t.Errorf("got %v", err)
		}
		if after, err := postgres.MigrationStatus(t.Context(), url); err != nil || after != before {
			t.Errorf("something was reverted: %+v, %v", after, err)
		}
	}
}

// Another tool, without a transaction, failed half-way: only a person can repair it.
func TestMigrateRefusesADirtyDatabase(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	must(t, testkit.ExecOn(url, "UPDATE schema_migrations SET dirty = true"))
	if err := postgres.MigrateUp(t.Context(), url); err == nil || !strings.Contains(err.Error(), "migrate force 6") {
		t.Errorf("got %v", err)
	}
}

// The previous version kept refusals, and in a rolling update it still tries to.
func TestKeptRefusalsAreDeletedAndNoMoreAreKept(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	insert := `INSERT INTO idempotency_keys (user_id, key, fingerprint, status, header, body)
		SELECT u.id, kept.key, sha256(''), kept.status, '{}', '' FROM users u, (VALUES ('success', 201), ('refusal', 409)) AS kept (key, status)`
	for testkit.QueryOn[bool](t, url, "SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = 'idempotency_keys_success')") {
		must(t, postgres.MigrateDown(t.Context(), url, 1))
	}
	must(t, testkit.ExecOn(url, "INSERT INTO users (id, email, name, password_hash) VALUES (gen_random_uuid(), 'a@test.com', 'A', '')"))
	must(t, testkit.ExecOn(url, insert))
	kept := func() int { return testkit.QueryOn[int](t, url, "SELECT count(*) FROM idempotency_keys") }
	if n := kept(); n != 2 {
		t.Fatalf("the previous version kept %d responses", n)
	}
	must(t, postgres.MigrateUp(t.Context(), url))
	if n := kept(); n != 1 {
		t.Errorf("%d responses are left after the migration", n)
	}
	must(t, testkit.ExecOn(url, "TRUNCATE idempotency_keys"))
	must(t, testkit.ExecOn(url, insert))
	if n := kept(); n != 1 {
		t.Errorf("%d of a success and a refusal are kept", n)
	}
}

func TestEightProcessesMigrateAtOnce(t *testing.T) {
	testkit.SkipIfShort(t, "eight migrations at once")
	t.Parallel()
	url := testkit.EmptyDatabaseURL(t)
	var all errgroup.Group
	for range 8 {
		all.Go(func() error { return postgres.MigrateUp(t.Context(), url) })
	}
	must(t, all.Wait())
	if s, err := postgres.MigrationStatus(t.Context(), url); err != nil || !s.Current() {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestMigrationResumesAfterAKill(t *testing.T) {
	testkit.SkipIfShort(t, "it kills a process")
	t.Parallel()
	url := testkit.EmptyDatabaseURL(t)
	killed := testkit.StartJob(t, migrateSlowly, url, nil)
	testkit.Await(t, "the first migration runs", func() error {
		if testkit.QueryOn[int](t, url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'") == 0 {
			return errors.New("it does not run")
		}
		return nil
	})
	killed.Kill()
	if s, err := postgres.MigrationStatus(t.Context(), url); err != nil || s.Version != 0 || s.Dirty {
		t.Errorf("after the kill: %+v, %v", s, err)
	}
	must(t, postgres.MigrateUpFrom(t.Context(), url, slowMigrations))
	if got := testkit.QueryOn[string](t, url, "SELECT format('%s %s', version, dirty) FROM schema_migrations"); got != "1 f" {
		t.Errorf("after the next start the record says %q, want version 1, clean", got)
	}
}

func TestFailedMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyDatabaseURL(t)
	files := fstest.MapFS{
		"migrations/000001_good.up.sql": {Data: []byte("CREATE TABLE good ()")},
		"migrations/000002_bad.up.sql":  {Data: []byte("CREATE TABLE half (); SELECT 1/0; CREATE TABLE other ()")},
	}
	err := postgres.MigrateUpFrom(t.Context(), url, files)
	if err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("the error does not name the migration: %v", err)
	}
	if got := testkit.QueryOn[string](t, url, "SELECT format('%s %s', version, dirty) FROM schema_migrations"); got != "1 f" {
		t.Errorf("the record says %q, want version 1, clean", got)
	}
	if testkit.QueryOn[bool](t, url, "SELECT to_regclass('half') IS NOT NULL") {
		t.Error("half of the migration was applied")
	}
	mended := maps.Clone(files)
	mended["migrations/000002_bad.up.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE half ()")}
	must(t, postgres.MigrateUpFrom(t.Context(), url, fs.FS(mended)))
}

func TestMigrationMustNotCommit(t *testing.T) {
	t.Parallel()
	err := postgres.MigrateUpFrom(t.Context(), testkit.EmptyDatabaseURL(t), fstest.MapFS{
		"migrations/000001_sly.up.sql": {Data: []byte("CREATE TABLE sly (); COMMIT")},
	})
	if err == nil || !strings.Contains(err.Error(), "must not begin or end a transaction") {
		t.Errorf("got %v", err)
	}
}

func TestLockHasOneHolder(t *testing.T) {
	t.Parallel()
	pool := testkit.DatabaseWith(t)
	lock := func(ctx context.Context, name string) (unlock func(), err error) {
		tx, err := pool.Begin(ctx)
		must(t, err)
		unlock = func() { _ = tx.Rollback(context.Background()) }
		return unlock, postgres.LockTx(ctx, tx, name)
	}
	unlock, err := lock(t.Context(), "seed")
	must(t, err)
	other, err := lock(t.Context(), "another name")
	must(t, err)
	other()
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	second, err := lock(short, "seed")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second holder: %v", err)
	}
	second()
	unlock()
	again, err := lock(t.Context(), "seed")
	must(t, err)
	again()
}
