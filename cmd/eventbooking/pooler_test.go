//go:build unix

package main

import (
	"strings"
	"testing"

	"eventbooking/internal/postgres"
	"eventbooking/internal/testkit"
)

func TestPoolerIsRecognised(t *testing.T) {
	t.Parallel()
	testkit.SkipIfPooled(t, "it starts poolers itself")
	direct := testkit.DatabaseURL(t)
	if path, err := postgres.Check(t.Context(), direct); err != nil || path != (postgres.Path{}) {
		t.Errorf("without a pooler: %+v, %v", path, err)
	}
	for name, c := range map[string]struct {
		settings map[string]string
		want     postgres.Path
	}{
		"transaction":              {nil, postgres.Path{Pooler: true, Unprepared: true}},
		"transaction, one server":  {map[string]string{"default_pool_size": "1"}, postgres.Path{Pooler: true, Unprepared: true}},
		"transaction, round robin": {map[string]string{"server_round_robin": "1", "min_pool_size": "5"}, postgres.Path{Pooler: true, Unprepared: true}},
		"session":                  {map[string]string{"pool_mode": "session"}, postgres.Path{Pooler: true}},
	} {
		pooled := testkit.Pooler(t, direct, c.settings)
		for range 3 { // what one try leaves in the server's sessions does not change the next
			if path, err := postgres.Check(t.Context(), pooled); err != nil || path != c.want {
				t.Errorf("%s: %+v, %v, want %+v", name, path, err, c.want)
			}
		}
	}
}

// One connection to the server is enough for all that does not serve.
func TestOneConnectionIsEnoughForCommands(t *testing.T) {
	t.Parallel()
	testkit.SkipIfPooled(t, "it starts poolers itself")
	pooled := testkit.Pooler(t, testkit.EmptyDatabaseURL(t), map[string]string{"default_pool_size": "1", "query_wait_timeout": "10"})
	for _, args := range [][]string{
		{"migrate", "up"}, {"migrate", "up"}, {"migrate", "status"}, {"seed"}, {"doctor"}, {"migrate", "down"}, {"migrate", "up"},
	} {
		if code, stdout, stderr := program(t, append(args, "--database-url="+pooled)...); code != 0 {
			t.Errorf("%v: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
}

func TestServiceRunsBehindAPooler(t *testing.T) {
	t.Parallel()
	testkit.SkipIfPooled(t, "it starts poolers itself")
	direct := testkit.DatabaseURL(t)
	pooled := testkit.Pooler(t, direct, nil)
	if code, _, stderr := program(t, "seed", "--database-url="+pooled); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, settings := range [][]string{
		nil, {"--database-pooler=true"}, {"--database-direct-url=" + direct}, {"--database-pooler=true", "--database-direct-url=" + direct},
	} {
		args := append([]string{"serve", "--addr=127.0.0.1:0", "--database-url=" + pooled}, settings...)
		serveUntil(t, func(base string) bool { return isReady(base) && login(base) }, args...)
	}
}

func TestMisconfiguredPoolerIsRefusedWithTheRemedy(t *testing.T) {
	t.Parallel()
	testkit.SkipIfPooled(t, "it starts poolers itself")
	direct := testkit.DatabaseURL(t)
	pooled := testkit.Pooler(t, direct, nil)
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"--database-url=" + pooled, "--database-pooler=false"}, []string{"DATABASE_POOLER", "true", "1.21", "max_prepared_statements"}},
		{[]string{"--database-url=" + pooled, "--database-direct-url=" + pooled + "&application_name=x"}, []string{"DATABASE_DIRECT_URL", "pooler"}},
		{[]string{"--database-url=" + pooled + "&default_query_exec_mode=exec"}, []string{"DATABASE_URL", "DATABASE_POOLER"}},
		{[]string{"--database-url=" + pooled + "&default_query_exec_mode=simple_protocol"}, []string{"DATABASE_URL", "DATABASE_POOLER"}},
		{[]string{"--database-url=" + pooled + "&statement_timeout=5"}, []string{"DATABASE_URL", "unsupported startup parameter", "statement_timeout"}},
	} {
		code, _, stderr := program(t, append([]string{"worker"}, c.args...)...)
		if code != exitUsage || strings.Contains(stderr, "waiting") {
			t.Errorf("%v: exit code %d: %s", c.args, code, stderr)
		}
		for _, want := range c.says {
			if !strings.Contains(stderr, want) {
				t.Errorf("%v: %q is not in %s", c.args, want, stderr)
			}
		}
	}
}
