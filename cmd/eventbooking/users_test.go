//go:build unix

package main

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/testkit"
)

// A database without anything gets its first administrator, and others by their roles.
func TestTheFirstAdministratorIsCreated(t *testing.T) {
	t.Parallel()
	url := testkit.EmptyDatabaseURL(t)
	on := "--database-url=" + url
	for _, c := range []struct {
		stdin string
		args  []string
		code  int
		says  string
	}{
		{"", []string{"user", "role", "root@test.com", "admin", on}, exitFailed, "migrate up"},
		{"", []string{"admin", "create", "root@test.com", on}, exitUsage, "no password"},
		{"short\n", []string{"admin", "create", "root@test.com", on}, exitUsage, "password must have at least 8 characters"},
		{"correct horse\n", []string{"admin", "create", "no address", on}, exitUsage, "email"},
		{"correct horse\nmore\n", []string{"admin", "create", "root@test.com", on}, 0, "root@test.com is an administrator"},
		{"correct horse\n", []string{"admin", "create", "ROOT@test.com", on}, exitFailed, "user role"},
		{"", []string{"user", "role", "root@test.com", "attendee", on}, exitFailed, "only administrator"},
		{"", []string{"user", "role", "nobody@test.com", "admin", on}, exitFailed, "no user has"},
		{"", []string{"user", "role", "root@test.com", "king", on}, exitUsage, "attendee"},
		{"", []string{"admin", "create", "second@test.com", "--name=Second", "--generate", on}, 0, "Password, shown once: "},
		{"", []string{"user", "role", "Root@test.com", "organizer", on}, 0, "has the role organizer"},
	} {
		code, stdout, stderr := programWith(t, c.stdin, c.args...)
		if code != c.code || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%v: exit code %d, want %d with %q:\n%s%s", c.args, code, c.code, c.says, stdout, stderr)
		}
		if strings.Contains(stdout+stderr, "correct horse") {
			t.Errorf("%v prints the password", c.args)
		}
	}
	users := account.New(testkit.Connect(t, url), account.Options{})
	login, err := users.LogIn(t.Context(), account.Credentials{Email: "root@test.com", Password: "correct horse"})
	if err != nil || login.User.Role != access.Organizer {
		t.Errorf("%+v, %v", login.User, err)
	}
}

func TestAGeneratedPasswordWorks(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	_, stdout, stderr := program(t, "admin", "create", "root@test.com", "--generate", "--database-url="+url)
	shown := regexp.MustCompile(`shown once: (\S{20,})`).FindStringSubmatch(stdout)
	if shown == nil {
		t.Fatal(stdout, stderr)
	}
	users := account.New(testkit.Connect(t, url), account.Options{})
	if _, err := users.LogIn(t.Context(), account.Credentials{Email: "root@test.com", Password: shown[1]}); err != nil {
		t.Error(err)
	}
}

// Seeded users with known passwords are not served to other machines by mistake.
func TestSeededUsersAreNotExposedByMistake(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		code, _, stderr := program(t, "serve", "--seed-if-empty", "--addr="+addr, "--database-url=postgres://nobody@127.0.0.1:1/nothing")
		if code != exitUsage || !strings.Contains(stderr, "EXPOSE_SEED") {
			t.Errorf("%s: exit code %d: %s", addr, code, stderr)
		}
	}
}

func TestServingSeededUsersWarns(t *testing.T) {
	testkit.SkipIfShort(t, "it starts services")
	t.Parallel()
	url := testkit.EmptyDatabaseURL(t)
	for _, c := range []struct {
		args  []string
		warns string
	}{
		{[]string{"--addr=127.0.0.1:0"}, ""},
		{[]string{"--addr=0.0.0.0:0", "--seed-if-empty", "--expose-seed"}, "reachable_from_other_machines=true"},
		{[]string{"--addr=127.0.0.1:0"}, "reachable_from_other_machines=false"},
		{[]string{"--addr=0.0.0.0:0"}, "reachable_from_other_machines=true"},
	} {
		ctx, stop := context.WithCancel(t.Context())
		out := &output{}
		done := make(chan int)
		go func() {
			done <- run(ctx, append([]string{"serve", "--workers=false", "--database-url=" + url}, c.args...), strings.NewReader(""), out, out)
		}()
		out.wait(t, "Stop with ")
		stop()
		if code := <-done; code != 0 || !strings.Contains(out.String(), c.warns) || strings.Contains(out.String(), "passwords that everybody knows") != (c.warns != "") {
			t.Errorf("%v: exit code %d, want %q: %s", c.args, code, c.warns, out)
		}
	}
}
