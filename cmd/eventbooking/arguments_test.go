//go:build unix

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alecthomas/kong"

	"eventbooking/internal/testkit"
)

// everyCommand are all commands that use a database.
var everyCommand = [][]string{
	{"serve", "--addr=127.0.0.1:0"}, {"worker"}, {"migrate", "up"}, {"migrate", "down"}, {"migrate", "status"}, {"migrate", "force", "6"},
	{"seed"}, {"doctor"}, {"simulate", "00000000-0000-0000-0000-000000000001"},
}

// countLookups counts the questions to the DNS until the test ends.
func countLookups(t *testing.T) *atomic.Int32 {
	t.Helper()
	var asked atomic.Int32
	preferGo, dial := net.DefaultResolver.PreferGo, net.DefaultResolver.Dial
	net.DefaultResolver.PreferGo = true
	net.DefaultResolver.Dial = func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, errors.New("there is no DNS in this test")
	}
	t.Cleanup(func() { net.DefaultResolver.PreferGo, net.DefaultResolver.Dial = preferGo, dial })
	return &asked
}

// No command prints a piece of a password, or asks the DNS for one.
func TestNothingOfAPasswordIsPrintedOrLookedUp(t *testing.T) {
	asked := countLookups(t)
	for _, url := range []string{
		"postgres://me:hush1@hush2@host.test/x", "postgres://me:12/hush2@host.test/x", "postgres://me:12?hush2@host.test/x", "postgres://me:12#hush2@host.test/x",
		"me:hush1@host.test/x", "host=host.test password=hush1 hush2=hush1", "host=me:hush1@hush2.test",
	} {
		for _, variable := range []string{"DATABASE_URL", "DATABASE_DIRECT_URL"} {
			t.Setenv("DATABASE_URL", "postgres://me@127.0.0.1:1/x")
			t.Setenv("DATABASE_DIRECT_URL", "")
			t.Setenv(variable, url)
			for _, args := range everyCommand {
				code, stdout, stderr := program(t, args...)
				if code != exitUsage || !strings.Contains(stderr, variable) || strings.Contains(stdout+stderr, "hush") || strings.Count(stderr, "\n") != 1 {
					t.Errorf("%v with %s=%s: exit code %d: %s%s", args, variable, url, code, stdout, stderr)
				}
			}
		}
	}
	// A shell splits at a space.
	for _, args := range [][]string{
		{"doctor", "--database-url=postgres://me:hush1", "hush2@host.test/x"}, {"doctor", "--database-url", "postgres://me:p", "--hush2@host.test/x"},
		{"doctor", "postgres://me:hush1@host.test/x"}, {"doctor", "password=hush1"},
		{"admin", "create", "--database-url=postgres://me:hush1@host.test/x", "me@test.com "},
	} {
		if code, stdout, stderr := program(t, args...); code != exitUsage || strings.Contains(stdout+stderr, "hush") {
			t.Errorf("%v: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the DNS was asked %d times", n)
	}
}

// variables are all variables of all commands.
func variables(t *testing.T) (names []string) {
	t.Helper()
	parser, err := kong.New(&commands{}, kong.Vars{"version": "", "rates": "", "quotas": ""})
	if err != nil {
		t.Fatal(err)
	}
	if err := kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			names = append(names, flag.Envs...)
		}
		return next(nil)
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestEmptyVariablesAreUnset(t *testing.T) {
	for _, name := range variables(t) {
		t.Setenv(name, "")
	}
	args := []string{"migrate", "status", "--database-url=" + testkit.DatabaseURL(t), "--log-level=", "--log-format", ""}
	if code, _, stderr := program(t, args...); code != 0 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	var c commands
	parser, err := kong.New(&c, kong.Vars{"version": "", "rates": "", "quotas": ""})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(parser, []string{"serve", "--addr=", "--shutdown-timeout", ""}); err != nil {
		t.Fatal(err)
	}
	if s := c.Serve; s.Addr != "127.0.0.1:8000" || !s.Workers || !s.Migrate || s.SeedIfEmpty || s.ShutdownTimeout <= 0 || s.DatabaseMaxConns != 16 || len(s.CORSOrigins) > 0 {
		t.Errorf("%+v", s)
	}
}

func TestSpaceAroundAValueIsAnError(t *testing.T) {
	names := variables(t)
	if len(names) < 10 {
		t.Errorf("only %v", names)
	}
	for _, name := range names {
		for _, value := range []string{" value", "value ", "value\n", "\tvalue", " "} {
			t.Setenv(name, value)
			code, _, stderr := program(t, "serve", "--addr=127.0.0.1:0")
			if code != exitUsage || !strings.Contains(stderr, name+": ") || !strings.Contains(stderr, "white space") {
				t.Errorf("%s=%q: exit code %d: %s", name, value, code, stderr)
			}
		}
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"serve", "--addr= 127.0.0.1:0"}, {"serve", "--addr", "127.0.0.1:0 "}} {
		if code, _, stderr := program(t, args...); code != exitUsage || !strings.Contains(stderr, "--addr") {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
}
