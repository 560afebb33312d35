//go:build unix

package embedded_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eventbooking/internal/postgres"
	"eventbooking/internal/postgres/embedded"
	"eventbooking/internal/testkit"
)

// mayNot are statements that only a superuser may run.
var mayNot = []string{
	"COPY (SELECT 1) TO PROGRAM 'cat'", "SELECT pg_read_file('PG_VERSION')", "CREATE ROLE other SUPERUSER", "ALTER SYSTEM SET fsync = off",
	"SET ROLE postgres", "CREATE DATABASE other", "ALTER ROLE eventbooking SUPERUSER",
}

func checkServiceRole(t *testing.T, url string) {
	t.Helper()
	for _, statement := range mayNot {
		if err := testkit.ExecOn(url, statement); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v, want a refusal", statement, err)
		}
	}
}

func TestTheServiceIsNoSuperuser(t *testing.T) {
	t.Parallel()
	s := testkit.Embedded(t, testkit.ServerDir(t))
	must(t, postgres.MigrateUp(t.Context(), s.URL()))
	checkServiceRole(t, s.URL())
	must(t, postgres.MigrateDown(t.Context(), s.URL(), 0))
}

// makeOld makes the data of a version whose service was the superuser, with its schema
// and a user. It returns the address of the service's role.
func makeOld(t *testing.T, dir string) string {
	t.Helper()
	programs, err := embedded.FindPrograms(t.Context(), dir, embedded.Options{Logger: quiet})
	must(t, err)
	// A start that is ended leaves the directory of the socket and the name of the data's.
	testkit.StopEmbedded(t, testkit.Embedded(t, dir))
	data, socket := dataIn(t, dir), filepath.Join(dir, "run")
	must(t, os.RemoveAll(data))
	must(t, programs.Initialise(t.Context(), data, "eventbooking", "--auth-local=trust"))
	old := programs.Command(t.Context(), dir, "postgres", "-D", data, "-k", socket, "-c", "listen_addresses=")
	must(t, old.Start())
	at := "postgres://eventbooking@/eventbooking?" + url.Values{"host": {socket}, "sslmode": {"disable"}}.Encode()
	testkit.Await(t, "the old server answers", func() error {
		return testkit.ExecOn(strings.Replace(at, "/eventbooking?", "/postgres?", 1), "SELECT")
	})
	must(t, testkit.ExecOn(strings.Replace(at, "/eventbooking?", "/postgres?", 1), "CREATE DATABASE eventbooking"))
	must(t, postgres.MigrateUp(t.Context(), at))
	must(t, testkit.ExecOn(at, "INSERT INTO users (id, email, name, password_hash) VALUES (gen_random_uuid(), 'kept@test.com', 'Kept', '')"))
	must(t, testkit.ExecOn(at, "CREATE TYPE mood AS ENUM ('good'); CREATE VIEW names AS SELECT name FROM users; CREATE SEQUENCE numbers"))
	must(t, old.Process.Signal(os.Interrupt))
	_ = old.Wait()
	return at
}

// The data of earlier versions stays, and so does the name by which they connect.
func TestTheServiceOfAnEarlierVersionIsNoSuperuserAnyMore(t *testing.T) {
	testkit.SkipIfShort(t, "it starts servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	old := makeOld(t, dir)
	if got := testkit.QueryOn[int](t, testkit.Embedded(t, dir).URL(), "SELECT count(*) FROM users WHERE email = 'kept@test.com'"); got != 1 {
		t.Fatalf("%d users are left", got)
	}
	checkServiceRole(t, old)
	left := testkit.QueryOn[string](t, old, `
		SELECT coalesce(string_agg(format('%s %s of %s', relkind, c.oid::regclass, relowner::regrole), ', '), '')
		FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE nspname IN ('public', 'river') AND relowner <> 'eventbooking'::regrole`)
	if left != "" {
		t.Errorf("not the service's: %s", left)
	}
	if roles := testkit.QueryOn[string](t, old, "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'"); roles != "eventbooking postgres" {
		t.Errorf("the roles are %s", roles)
	}
	// What an owner does: all migrations back and forth, and what an earlier version does.
	must(t, testkit.ExecOn(old, "DROP VIEW names; DROP SEQUENCE numbers; DROP TYPE mood"))
	must(t, postgres.MigrateDown(t.Context(), old, 0))
	must(t, postgres.MigrateUp(t.Context(), old))
	again := testkit.Embedded(t, dir)
	must(t, testkit.ExecOn(again.URL(), "SELECT"))
}

// A start may be killed between the steps.
func TestAnInterruptedChangeOfRolesIsFinished(t *testing.T) {
	testkit.SkipIfShort(t, "it starts servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	first := testkit.Embedded(t, dir)
	must(t, testkit.ExecOn(first.AdminURL(), "CREATE ROLE eventbooking_renamer SUPERUSER LOGIN"))
	testkit.StopEmbedded(t, first)
	second := testkit.Embedded(t, dir)
	if n := testkit.QueryOn[int](t, second.URL(), "SELECT count(*) FROM pg_roles WHERE rolsuper"); n != 1 {
		t.Errorf("%d superusers", n)
	}
}
