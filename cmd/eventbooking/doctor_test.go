package main

import (
	"strings"
	"testing"
	"time"

	"eventbooking/internal/audit"
	"eventbooking/internal/testkit"
)

// On a terminal each check has one line, which is written again until its last page.
func TestDoctorShowsPeopleHowFarItIs(t *testing.T) {
	t.Parallel()
	var terminal strings.Builder
	show := progressOn(&terminal)
	for _, p := range []audit.Progress{
		{Check: "no oversell", Number: 1, Checks: 2},
		{Check: "no oversell", Number: 1, Checks: 2, Page: 1, Pages: 2, Took: 1500 * time.Millisecond},
		{Check: "no oversell", Number: 1, Checks: 2, Page: 2, Pages: 2, Took: 61 * time.Second},
		{Check: "moves", Number: 2, Checks: 2},
	} {
		show(p)
	}
	want := "\r\x1b[K 1 of 2    0 %     0.0 s  no oversell" +
		"\r\x1b[K 1 of 2   50 %     1.5 s  no oversell" +
		"\r\x1b[K 1 of 2  100 %    61.0 s  no oversell\n" +
		"\r\x1b[K 2 of 2    0 %     0.0 s  moves"
	if terminal.String() != want {
		t.Errorf("got %q, want %q", terminal.String(), want)
	}
}

// A script gets what was found, and the log of each check if it asks for it.
func TestDoctorShowsScriptsNoProgress(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t)
	if code, stdout, stderr := program(t, "doctor", "--database-url="+url); code != 0 || stdout != "ok: no violations\n" || stderr != "" {
		t.Errorf("exit code %d: %q, %q", code, stdout, stderr)
	}
	if _, _, stderr := program(t, "doctor", "--database-url="+url, "--log-level=debug"); !strings.Contains(stderr, `check="no queue jumping"`) || !strings.Contains(stderr, "took=") {
		t.Errorf("the log is %q", stderr)
	}
}
