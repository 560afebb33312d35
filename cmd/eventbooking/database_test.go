//go:build unix

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"eventbooking/internal/postgres"
	"eventbooking/internal/testkit"
)

func exec(t *testing.T, url string, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := testkit.ExecOn(url, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// as is an address with another user, or another database unless it is empty.
func as(t *testing.T, address, user, database string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(user)
	if name, password, has := strings.Cut(user, ":"); has {
		u.User = url.UserPassword(name, password)
	}
	if database != "" {
		u.Path = "/" + database
	}
	return u.String()
}

// newRole makes a role of the test.
func newRole(t *testing.T, url string) string {
	t.Helper()
	name := testkit.QueryOn[string](t, url, "SELECT 'role_' || replace(gen_random_uuid()::text, '-', '')")
	exec(t, url, "CREATE ROLE "+name+" LOGIN")
	t.Cleanup(func() {
		exec(t, url, "DROP OWNED BY "+name, "DROP ROLE "+name)
	})
	return name
}

// granted makes a role that may just serve, and returns the database's address for it.
func granted(t *testing.T, url string) string {
	t.Helper()
	role := newRole(t, url)
	grant(t, url, role)
	return as(t, url, role, "")
}

func grant(t *testing.T, url, role string) {
	t.Helper()
	if code, stdout, stderr := program(t, "migrate", "up", "--database-url="+url, "--runtime-role="+role); code != 0 {
		t.Fatalf("migrate up --runtime-role: exit code %d: %s%s", code, stdout, stderr)
	}
}

func TestRoleThatMayOnlyReadAndWriteRowsIsEnough(t *testing.T) {
	t.Parallel()
	owner := testkit.DatabaseURL(t)
	role := granted(t, owner)
	on := "--database-url=" + role
	for url, want := range map[string]bool{owner: true, role: false} {
		if owns, err := postgres.OwnsRiver(t.Context(), url); err != nil || owns != want {
			t.Errorf("owns the tables: %t, %v, want %t", owns, err, want)
		}
	}
	for _, args := range [][]string{{"migrate", "up"}, {"migrate", "status"}, {"seed"}, {"doctor"}} {
		if code, stdout, stderr := program(t, append(args, on)...); code != 0 {
			t.Errorf("%v: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
	for _, migrate := range []string{"--migrate=true", "--migrate=false"} {
		serveUntil(t, func(base string) bool { return isReady(base) && login(base) }, "serve", "--addr=127.0.0.1:0", migrate, on)
	}
	for _, flag := range []string{"--fresh", "--scale=10"} {
		if code, _, stderr := program(t, "seed", flag, on); code != exitFailed || !strings.Contains(stderr, "need the owner of the tables") {
			t.Errorf("seed %s: exit code %d: %s", flag, code, stderr)
		}
	}
}

// The owner migrates past the pooler before the GRANTs, which need the tables.
func TestTheOwnerMigratesForARoleWithoutPrivileges(t *testing.T) {
	testkit.SkipIfPooled(t, "it needs an address past the pooler")
	t.Parallel()
	owner := testkit.EmptyDatabaseURL(t)
	role := newRole(t, owner)
	on := []string{"--database-url=" + as(t, owner, role, ""), "--database-direct-url=" + owner}
	if code, stdout, stderr := program(t, append(on, "migrate", "up")...); code != 0 {
		t.Fatalf("migrate up: exit code %d: %s%s", code, stdout, stderr)
	}
	code, _, stderr := programWith(t, "correct horse\n", append(on, "admin", "create", "root@test.com")...)
	if code != exitFailed || !strings.Contains(stderr, "lacks") || !strings.Contains(stderr, "public.users") {
		t.Errorf("admin create without GRANTs: exit code %d: %s", code, stderr)
	}
	grant(t, owner, role)
	serveUntil(t, func(base string) bool { return isReady(base) && login(base) }, append(on, "serve", "--addr=127.0.0.1:0", "--seed-if-empty")...)
}

func login(base string) bool {
	response, err := http.Post(base+"/api/v1/auth/login", "application/json", strings.NewReader(`{"email":"busy@test.com","password":"password"}`))
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusCreated || response.StatusCode == http.StatusOK
}

// serveUntil runs a command until something holds of the service, and expects that it
// ends with 0 and logs no error.
func serveUntil(t *testing.T, holds func(base string) bool, args ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group sync.WaitGroup
	out := &output{}
	ended := make(chan int, 1)
	group.Go(func() { ended <- run(ctx, args, strings.NewReader(""), out, out) })
	waitFor(t, "it serves, or ends", func() bool { return strings.Contains(out.String(), "Serving on   ") || len(ended) > 0 })
	if strings.Contains(out.String(), "Serving on   ") {
		base := out.wait(t, "Serving on   ")
		waitFor(t, "it does what is wanted", func() bool { return holds(base) })
	}
	stop()
	group.Wait()
	if code := <-ended; code != 0 || strings.Contains(out.String(), "level=ERROR") {
		t.Errorf("%v: exit code %d:\n%s", args, code, out)
	}
}

// mayNotServe are statements that a role that serves has no need of.
var mayNotServe = []string{
	"CREATE TABLE more ()", "CREATE TEMPORARY TABLE more ()", "CREATE SCHEMA more", "CREATE TABLE river.more ()", "ALTER TABLE users ADD COLUMN more text",
	"DROP TABLE ledger", "CREATE INDEX ON bookings (id)", "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
	"ALTER TABLE ledger DISABLE TRIGGER ledger_append_only", "ALTER TABLE ledger DISABLE TRIGGER ledger_no_truncate", "SET session_replication_role = replica",
	"UPDATE ledger SET kind = kind", "DELETE FROM ledger", "TRUNCATE ledger", "TRUNCATE bookings CASCADE", "SELECT * FROM ledger FOR UPDATE",
	"INSERT INTO ledger SELECT * FROM ledger ON CONFLICT ON CONSTRAINT ledger_one_entry_per_version DO UPDATE SET kind = 'booked'",
	"UPDATE schema_migrations SET version = 1", "DELETE FROM river.river_migration", "CREATE EXTENSION pg_trgm",
}

func TestRoleThatServesChangesNeitherTablesNorTheLedger(t *testing.T) {
	t.Parallel()
	owner := testkit.DatabaseURL(t)
	role := newRole(t, owner)
	// As earlier versions of this README granted.
	exec(t, owner, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, river TO "+role, "GRANT CREATE ON SCHEMA public TO PUBLIC")
	for range 2 { // it can be repeated
		grant(t, owner, role)
	}
	for _, statement := range mayNotServe {
		if err := testkit.ExecOn(as(t, owner, role, ""), statement); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v, want a refusal", statement, err)
		}
	}
}

// Privileges of others would reach further than what is granted.
func TestRoleThatCouldDoMoreIsNotTakenToServe(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	owner := testkit.QueryOn[string](t, url, "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'ledger'")
	for says, prepare := range map[string]string{
		"is a superuser":           "ALTER ROLE %s SUPERUSER",
		"can act as " + owner:      "GRANT " + owner + " TO %s",
		"may UPDATE on public.led": "GRANT UPDATE ON ledger TO PUBLIC; ALTER ROLE %s LOGIN",
		"may CREATE in the databa": "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %%I TO %s', current_database()); END $$",
	} {
		role := newRole(t, url)
		exec(t, url, fmt.Sprintf(prepare, role))
		code, _, stderr := program(t, "migrate", "up", "--database-url="+url, "--runtime-role="+role)
		if code != exitFailed || !strings.Contains(stderr, says) || !strings.Contains(stderr, role) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("exit code %d, want %q: %s", code, says, stderr)
		}
		if has := testkit.QueryOn[bool](t, url, "SELECT EXISTS (SELECT FROM information_schema.table_privileges WHERE grantee = '"+role+"')"); has {
			t.Errorf("%s was granted something", role)
		}
		exec(t, url, "REVOKE UPDATE ON ledger FROM PUBLIC")
	}
	if code, _, stderr := program(t, "migrate", "up", "--database-url="+url, "--runtime-role=nobody_by_this_name"); code != exitFailed || !strings.Contains(stderr, "CREATE ROLE") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// What is missing is named: privilege, object and role.
func TestMissingPrivilegesAreNamed(t *testing.T) {
	t.Parallel()
	current := testkit.DatabaseURL(t)
	allowed := granted(t, current)
	role, _, _ := strings.Cut(strings.TrimPrefix(allowed, "postgres://"), "@")
	for _, c := range []struct{ revoke, restore, says string }{
		{"INSERT, DELETE ON bookings FROM ", "INSERT, DELETE ON bookings TO ", "INSERT, DELETE on public.bookings"},
		{"SELECT ON schema_migrations FROM ", "SELECT ON schema_migrations TO ", "SELECT on public.schema_migrations"},
		{"USAGE ON SCHEMA river FROM ", "USAGE ON SCHEMA river TO ", "USAGE on schema river"},
		{"USAGE ON ALL SEQUENCES IN SCHEMA river FROM ", "USAGE ON ALL SEQUENCES IN SCHEMA river TO ", "USAGE on sequence river."},
	} {
		exec(t, current, "REVOKE "+c.revoke+role)
		code, _, stderr := program(t, "worker", "--database-url="+allowed)
		if code != exitFailed || !strings.Contains(stderr, c.says) || !strings.Contains(stderr, role) {
			t.Errorf("without %s: exit code %d: %s", c.says, code, stderr)
		}
		exec(t, current, "GRANT "+c.restore+role)
	}
	empty := testkit.EmptyDatabaseURL(t)
	stranger := newRole(t, empty)
	for _, args := range [][]string{{"migrate", "up"}, {"worker"}, {"seed"}} {
		code, _, stderr := program(t, append(args, "--database-url="+as(t, empty, stranger, ""))...)
		if code != exitFailed || !strings.Contains(stderr, "CREATE on database") || !strings.Contains(stderr, "CREATE on schema public") || !strings.Contains(stderr, stranger) {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
	exec(t, current, "UPDATE schema_migrations SET version = version - 1")
	if code, _, stderr := program(t, "migrate", "up", "--database-url="+allowed); code != exitFailed || !strings.Contains(stderr, "ownership of public.schema_migrations") {
		t.Errorf("behind: exit code %d: %s", code, stderr)
	}
}

// Waiting does not help against these: one line says so at once, with exit code 2.
func TestUnsuitableDatabasesAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	server := testkit.Embedded(t, serverWithPasswords(t)).AdminURL()
	for _, database := range []string{"ascii ENCODING 'SQL_ASCII'", "latin ENCODING 'LATIN1'", "foreign_table ENCODING 'UTF8'", "foreign_version ENCODING 'UTF8'",
		"misled ENCODING 'UTF8'", "closed ENCODING 'UTF8'"} {
		exec(t, server, "CREATE DATABASE "+database+" LOCALE 'C' TEMPLATE template0")
	}
	exec(t, as(t, server, "postgres", "foreign_table"), "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)")
	exec(t, as(t, server, "postgres", "foreign_version"), "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)",
		"INSERT INTO schema_migrations VALUES (20240101, false)", "CREATE TABLE users ()")
	exec(t, server, "CREATE ROLE locked LOGIN PASSWORD 'right'", "CREATE ROLE ordinary LOGIN", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
	exec(t, as(t, server, "postgres", "misled"), "CREATE SCHEMA other", "ALTER DATABASE misled SET search_path = other")
	for name, c := range map[string]struct{ url, says string }{
		"wrong password":   {as(t, server, "locked:hush", ""), "password authentication failed"},
		"no role":          {as(t, server, "nobody", ""), `role "nobody" does not exist`},
		"no database":      {as(t, server, "postgres", "nothing"), `database "nothing" does not exist`},
		"no CONNECT":       {as(t, server, "ordinary", "closed"), "permission denied for database"},
		"no such setting":  {server + "&options=-c%20nonsense%3D1", "nonsense"},
		"SQL_ASCII":        {as(t, server, "postgres", "ascii"), "ENCODING 'UTF8'"},
		"LATIN1":           {as(t, server, "postgres", "latin"), "ENCODING 'UTF8'"},
		"foreign table":    {as(t, server, "postgres", "foreign_table"), "another program's"},
		"foreign version":  {as(t, server, "postgres", "foreign_version"), "database of its own"},
		"other schema":     {as(t, server, "postgres", "misled"), "search_path"},
		"breaking mode":    {server + "&default_query_exec_mode=exec", "default_query_exec_mode"},
		"client_encoding":  {server + "&client_encoding=LATIN1", "client_encoding"},
		"unknown host key": {server + "&hosts=x", "parameter"},
	} {
		for _, args := range [][]string{{"serve", "--addr=127.0.0.1:0"}, {"migrate", "up"}} {
			code, stdout, stderr := program(t, append(args, "--database-url="+c.url)...)
			if code != exitUsage || !strings.Contains(stderr, c.says) || !strings.Contains(stderr, "DATABASE_URL") || strings.Contains(stderr, "hush") {
				t.Errorf("%s: %v: exit code %d, want %q: %s%s", name, args, code, c.says, stdout, stderr)
			}
			if strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "waiting") {
				t.Errorf("%s: %v: more than one line:\n%s", name, args, stderr)
			}
		}
	}
}

// serverWithPasswords makes the data of a server where the role locked needs one.
func serverWithPasswords(t *testing.T) string {
	t.Helper()
	dir := testkit.ServerDir(t)
	first := testkit.Embedded(t, dir)
	testkit.StopEmbedded(t, first)
	found, err := filepath.Glob(filepath.Join(dir, "postgres-*", "pg_hba.conf"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	rules, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(found[0], append([]byte("local all locked scram-sha-256\n"), rules...), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A standby can be read, and would fail at the first write.
func TestStandbyIsRefused(t *testing.T) {
	testkit.SkipIfShort(t, "it starts servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	testkit.StopEmbedded(t, testkit.Embedded(t, dir))
	found, err := filepath.Glob(filepath.Join(dir, "postgres-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	if err := os.WriteFile(filepath.Join(found[0], "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := program(t, "serve", "--addr=127.0.0.1:0", "--database-url="+testkit.Embedded(t, dir).URL())
	if code != exitUsage || !strings.Contains(stderr, "standby") || !strings.Contains(stderr, "primary") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Each cause of a failure is one line, however often pgx tried, and names the variable.
func TestUnreachableDatabaseIsOneLineInEveryCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"migrate", "up"}, {"migrate", "status"}, {"seed"}, {"doctor"}, {"simulate", "00000000-0000-0000-0000-000000000001"}} {
		code, _, stderr := program(t, append(args, "--database-url=postgres://me@127.0.0.1:1/x?sslmode=prefer")...)
		if code != exitFailed || !strings.Contains(stderr, "DATABASE_URL") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
}

// A client that speaks another encoding would store what nobody can read.
func TestDefaultsOfADatabaseDoNotChangeTheEncoding(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	exec(t, url, "ALTER DATABASE "+testkit.QueryOn[string](t, url, "SELECT quote_ident(current_database())")+" SET client_encoding = 'LATIN1'")
	pool := testkit.Connect(t, url)
	var text string
	if err := pool.QueryRow(t.Context(), "SELECT $1::text", "日本語").Scan(&text); err != nil || text != "日本語" {
		t.Errorf("%q, %v", text, err)
	}
	if code, _, stderr := program(t, "doctor", "--database-url="+url); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestForceIsTheWayOutOfADirtyVersion(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	version := testkit.QueryOn[int](t, url, "SELECT version FROM schema_migrations")
	exec(t, url, "UPDATE schema_migrations SET dirty = true")
	on := "--database-url=" + url
	force := fmt.Sprintf("migrate force %d", version)
	for _, args := range [][]string{{"migrate", "up"}, {"worker"}} {
		if code, _, stderr := program(t, append(args, on)...); code != exitFailed || !strings.Contains(stderr, force) {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
	if code, stdout, _ := program(t, "migrate", "status", on); code != exitFailed || !strings.Contains(stdout, "migrate force") {
		t.Errorf("status: exit code %d: %s", code, stdout)
	}
	if code, _, stderr := program(t, "migrate", "force", "999", on); code != exitFailed || !strings.Contains(stderr, "cannot force version 999") {
		t.Errorf("force 999: exit code %d: %s", code, stderr)
	}
	for _, args := range [][]string{{"migrate", "force", fmt.Sprint(version)}, {"migrate", "up"}, {"migrate", "status"}} {
		if code, _, stderr := program(t, append(args, on)...); code != 0 {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
}

// The variables of a shell are about another server than the embedded one.
func TestVariablesOfLibpqDoNotReachTheEmbeddedServer(t *testing.T) {
	testkit.SkipIfShort(t, "it starts a server")
	for name, value := range map[string]string{"PGSERVICE": "other", "PGSERVICEFILE": "/nowhere", "PGHOST": "other.test", "PGPORT": "1", "PGUSER": "other", "PGDATABASE": "other",
		"PGPASSWORD": "hush", "PGOPTIONS": "-c nonsense=1", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/nowhere", "PGTARGETSESSIONATTRS": "standby",
		"PGCONNECT_TIMEOUT": "x", "PGTZ": "nowhere", "PGREQUIREAUTH": "scram-sha-256", "PGMINPROTOCOLVERSION": "9"} {
		t.Setenv(name, value)
	}
	dir := testkit.ServerDir(t)
	t.Setenv("DATABASE_URL", "")
	t.Setenv("DATA_DIR", dir)
	if code, stdout, stderr := program(t, "migrate", "up"); code != 0 {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

// A start waits for a database that is starting as well, and says for what.
func TestStartWaitsForItsDatabase(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := silent.Addr().String()
	_ = silent.Close() // nothing listens there now
	ctx, stop := context.WithCancel(t.Context())
	out := &output{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"worker", "--database-url=postgres://me@" + address + "/x"}, strings.NewReader(""), out, out)
	}()
	waitFor(t, "it waits", func() bool { return strings.Count(out.String(), "waiting for the database") >= 2 })
	stop()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	if strings.Contains(out.String(), `\n`) {
		t.Errorf("a cause fills several lines: %s", out)
	}
}
