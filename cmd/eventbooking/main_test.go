//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"eventbooking/internal/account"
	"eventbooking/internal/seed"
	"eventbooking/internal/testkit"
)

// program runs a command until it is done.
func program(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return programWith(t, "", args...)
}

// programWith runs a command until it is done, with an input.
func programWith(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &out, &log)
	return code, out.String(), log.String()
}

// setting is an invalid value of a variable, with the exit code and part of the error.
type setting struct {
	name, value string
	code        int
	says        string
}

var invalidSettings = []setting{
	{"LOG_LEVEL", "loud", exitUsage, `"loud" is not one of debug, info, warn, error`},
	{"LOG_FORMAT", "xml", exitUsage, `"xml" is not one of text, json`},
	{"SHUTDOWN_TIMEOUT", "soon", exitUsage, "invalid duration"},
	{"SHUTDOWN_TIMEOUT", "0s", exitUsage, "not a positive duration"},
	{"DATABASE_MAX_CONNS", "many", exitUsage, "many"},
	{"DATABASE_MAX_CONNS", "0", exitUsage, "not positive"},
	{"WORKERS", "maybe", exitUsage, "maybe"},
	{"SEED_IF_EMPTY", "maybe", exitUsage, "maybe"},
	{"ADDR", "8000", exitUsage, "missing port"},
	{"CORS_ORIGINS", "shop.example.com", exitUsage, "not an origin"},
	{"CORS_ORIGINS", "https://*", exitUsage, `"https://*" is a pattern`},
	{"TLS_CERT_FILE", "/nowhere.pem", exitUsage, "set both or neither"},
	{"TLS_KEY_FILE", "/nowhere.pem", exitUsage, "set both or neither"},
	{"DATABASE_URL", "http://someone:secret@host/x", exitUsage, "not the address of a PostgreSQL database"},
	{"DATA_DIR", "/dev/null/data", exitFailed, "not a directory"},
}

// The error names the variable, and comes before anything else happens.
func TestInvalidSettingsAreNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, c := range append(invalidSettings, setting{"ADDR", taken.Addr().String(), exitFailed, "already in use"}) {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			t.Setenv("ADDR", "127.0.0.1:0")
			t.Setenv("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
			if c.name == "DATA_DIR" {
				t.Setenv("DATABASE_URL", "")
			}
			t.Setenv(c.name, c.value)
			code, _, stderr := program(t, "serve")
			if code != c.code || !strings.Contains(stderr, c.name) || !strings.Contains(stderr, c.says) {
				t.Errorf("exit code %d, want %d with %q: %s", code, c.code, c.says, stderr)
			}
			if strings.Contains(stderr, "secret") {
				t.Errorf("the password is printed: %s", stderr)
			}
		})
	}
}

func TestInvalidArgumentsAreUsageErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, says string }{
		{"fly", "unexpected argument fly"}, {"serve --fly", "unknown flag --fly"}, {"migrate", `expected one of "up"`},
		{"migrate down --steps=0", "--steps: 0 is not positive"}, {"seed --scale=x", "--scale: "}, {"seed --scale=0", "--scale: 0 is not between"},
		{"seed --show --fresh", "--show: it changes nothing"}, {"admin create me@test.com", "no password"},
	} {
		if code, _, stderr := program(t, strings.Fields(c.args)...); code != exitUsage || !strings.HasPrefix(stderr, "eventbooking: "+c.says) {
			t.Errorf("%s: exit code %d: %s", c.args, code, stderr)
		}
	}
}

func TestHelpNamesEveryCommandAndVariable(t *testing.T) {
	t.Parallel()
	code, all, _ := program(t)
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	_, forServe, _ := program(t, "serve", "--help")
	for _, want := range []string{"serve", "worker", "migrate up", "migrate down", "migrate status", "migrate force", "seed", "doctor", "version", "Examples"} {
		if !strings.Contains(all, want) {
			t.Errorf("--help does not contain %q", want)
		}
	}
	for _, want := range []string{"$ADDR", "127.0.0.1:8000", "$DATABASE_URL", "$DATABASE_POOLER", "$DATABASE_DIRECT_URL", "$MIGRATE", "$DATA_DIR", "$LOG_FORMAT", "$LOG_LEVEL", "$WORKERS",
		"$SHUTDOWN_TIMEOUT", "20s", "$DATABASE_MAX_CONNS", "16", "$SEED_IF_EMPTY"} {
		if !strings.Contains(forServe, want) {
			t.Errorf("serve --help does not contain %q", want)
		}
	}
	for _, ask := range []string{"version", "--version"} {
		if code, text, _ := program(t, ask); code != 0 || !strings.HasPrefix(text, "eventbooking ") || !strings.Contains(text, "go1.") {
			t.Errorf("%s: %d %q", ask, code, text)
		}
	}
}

func TestMigratedAndSeededDatabasePassesTheDoctor(t *testing.T) {
	t.Parallel()
	on := "--database-url=" + testkit.EmptyDatabaseURL(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"migrate", "up"}, "River"},
		{[]string{"migrate", "status"}, "River"},
		{[]string{"migrate", "down"}, "River"},
		{[]string{"migrate", "down", "--all"}, "schema  0 of"},
		{[]string{"seed", "--seed=7"}, "busy@test.com"},
		{[]string{"doctor"}, "ok: no violations\n"},
		{[]string{"seed", "--show", "--seed=7"}, "busy@test.com"},
		{[]string{"seed", "--fresh"}, "busy@test.com"},
		{[]string{"seed", "--show"}, "busy@test.com"},
	} {
		if code, stdout, stderr := program(t, append(c.args, on)...); code != 0 || !strings.Contains(stdout, c.says) {
			t.Errorf("%v: exit code %d, want %q:\n%s%s", c.args, code, c.says, stdout, stderr)
		}
	}
}

// Of users of an earlier version whose addresses are the same now, the younger are listed.
func TestMigrateListsUsersWithoutAKey(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	pool := testkit.Connect(t, url)
	var ids []string
	for _, email := range []string{"zo\u00eb@test.com", "zoe\u0308@test.com", "o\u200bdd@test.com"} {
		ids = append(ids, testkit.ID().String())
		testkit.Exec(t, pool, "INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, 'Old', '')", ids[len(ids)-1], email)
	}
	code, stdout, stderr := program(t, "migrate", "up", "--database-url="+url)
	for _, want := range []string{"user " + ids[1] + " has the e-mail address of the older user " + ids[0], "user " + ids[2] + " has an e-mail address"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, want %q:\n%s%s", code, want, stdout, stderr)
		}
	}
	if strings.Contains(stdout+stderr, "test.com") {
		t.Errorf("addresses are printed:\n%s%s", stdout, stderr)
	}
}

func TestDoctorPrintsAViolationAndFails(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	pool := testkit.Connect(t, url)
	slot := testkit.Slot(t, pool, testkit.Event(t, pool).ID)
	if _, err := pool.Exec(t.Context(), "UPDATE slots SET seats_taken = 1 WHERE id = $1", slot.ID); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := program(t, "doctor", "--database-url="+url)
	if code != exitFailed || !strings.Contains(stdout, slot.ID.String()) {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

func TestSimulatePrintsTheSameTableForTheSameSeed(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	pool := testkit.Connect(t, url)
	slot := testkit.Slot(t, pool, testkit.Event(t, pool).ID).ID.String()
	on := "--database-url=" + url
	code, first, _ := program(t, "simulate", slot, "--rate=0.5", "--seed=3", "--runs=4", on)
	for _, want := range []string{"Estimate", slot, "50 %", "4 runs, seed 3", "automatic", "first_fit", "<- current"} {
		if code != 0 || !strings.Contains(first, want) {
			t.Errorf("exit code %d, want %q:\n%s", code, want, first)
		}
	}
	if _, again, _ := program(t, "simulate", slot, "--rate=0.5", "--seed=3", "--runs=4", on); again != first {
		t.Errorf("%s\nis not\n%s", again, first)
	}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitUsage, "runs must be between 1 and 200", []string{slot, "--runs=1000"}},
		{exitUsage, "uuid", []string{"nothing"}},
		{exitFailed, "no such slot", []string{"00000000-0000-0000-0000-000000000001"}},
		{exitUsage, "until", []string{slot, "--until=2020-01-01T00:00:00Z"}},
	} {
		if code, _, stderr := program(t, append([]string{"simulate", on}, c.args...)...); code != c.code || !strings.Contains(strings.ToLower(stderr), c.says) {
			t.Errorf("%v: exit code %d: %s", c.args, code, stderr)
		}
	}
}

func TestWhatReadsNeedsTheSchema(t *testing.T) {
	t.Parallel()
	on := "--database-url=" + testkit.EmptyDatabaseURL(t)
	for _, args := range [][]string{
		{"doctor"}, {"simulate", "00000000-0000-0000-0000-000000000001"}, {"migrate", "status"}, {"worker", "--migrate=false"},
		{"serve", "--migrate=false", "--addr=127.0.0.1:0"},
	} {
		code, _, stderr := program(t, append(args, on)...)
		if code != exitFailed || !strings.Contains(stderr, "migrate up") {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
}

func TestSeedRefusesADatabaseWithOtherData(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	testkit.Event(t, testkit.Connect(t, url))
	code, _, stderr := program(t, "seed", "--database-url="+url)
	if code != exitFailed || !strings.Contains(stderr, "--fresh") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Two processes and a worker start at once on an empty database: both serve, the
// data is seeded once, and all exit with 0.
func TestProcessesStartTogether(t *testing.T) {
	testkit.SkipIfShort(t, "it starts several services")
	t.Parallel()
	url := testkit.EmptyDatabaseURL(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group sync.WaitGroup
	start := func(args ...string) *output {
		out := &output{}
		group.Go(func() {
			if code := run(ctx, append(args, "--database-url="+url), strings.NewReader(""), out, out); code != 0 {
				t.Errorf("%v: exit code %d:\n%s", args, code, out)
			}
		})
		return out
	}
	both := []*output{
		start("serve", "--addr=127.0.0.1:0", "--seed-if-empty"),
		start("serve", "--addr=127.0.0.1:0", "--seed-if-empty", "--workers=false"),
	}
	worker := start("worker")
	for _, out := range both {
		base := out.wait(t, "Serving on   ")
		out.wait(t, "Log in as    busy@test.com")
		waitFor(t, "the service is ready", func() bool { return isReady(base) })
	}
	worker.wait(t, `msg="workers started"`)
	pool := testkit.Connect(t, url)
	if empty, err := seed.Empty(t.Context(), pool); err != nil || empty {
		t.Errorf("not seeded: %v", err)
	}
	if _, err := account.FindByEmail(t.Context(), pool, "admin@test.com"); err != nil {
		t.Error(err)
	}
	stop()
	group.Wait()
}

// What one needs first is not to scroll away.
func TestStartPrintsAboutTenLines(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyDatabaseURL(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &output{}
	var group sync.WaitGroup
	group.Go(func() {
		if code := run(ctx, []string{"serve", "--addr=127.0.0.1:0", "--seed-if-empty", "--database-url=" + url}, strings.NewReader(""), out, out); code != 0 {
			t.Errorf("exit code %d", code)
		}
	})
	out.wait(t, "Stop with    Ctrl-C")
	for _, want := range []string{"Seeded 300 users", "seed --show", "/docs", "busy@test.com"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not printed", want)
		}
	}
	stop()
	group.Wait()
	if lines := strings.Count(out.String(), "\n"); lines > 12 {
		t.Errorf("%d lines:\n%s", lines, out)
	}
}

func isReady(base string) bool {
	response, err := http.Get(base + "/readyz")
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// output is what a running program has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

var _ io.Writer = (*output)(nil)

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// wait waits for a line that begins with a prefix, and returns the rest of it.
func (o *output) wait(t *testing.T, prefix string) (rest string) {
	t.Helper()
	waitFor(t, fmt.Sprintf("the program prints %q", prefix), func() bool {
		_, after, found := strings.Cut(o.String(), prefix)
		rest, _, _ = strings.Cut(after, "\n")
		return found && strings.Contains(after, "\n")
	})
	return rest
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	const timeout = time.Minute
	for deadline := time.Now().Add(timeout); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}
