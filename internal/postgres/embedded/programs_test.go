//go:build unix

package embedded

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChoosePrefersTheVersionWithData(t *testing.T) {
	t.Parallel()
	found := []Programs{{dir: "old", major: 15}, {dir: "newest", major: 18}, {dir: "new", major: 17}}
	dir := t.TempDir()
	if got := choose(found, dir); got.dir != "newest" {
		t.Errorf("without data: %v", got)
	}
	for _, step := range []struct {
		data string
		want string
	}{{"postgres-15", "old"}, {"postgres-17", "new"}, {"postgres-16", "new"}} {
		if err := os.MkdirAll(filepath.Join(dir, step.data), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, step.data, "PG_VERSION"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := choose(found, dir); got.dir != step.want {
			t.Errorf("with data in %s: %v, want %s", step.data, got, step.want)
		}
	}
}

func TestInstalledSkipsWhatDoesNotWork(t *testing.T) {
	t.Parallel()
	program := func(version string) string {
		dir := t.TempDir()
		for _, name := range []string{"postgres", "initdb"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(version), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	dirs := []string{t.TempDir(), program("#!/bin/sh\necho 'postgres (PostgreSQL) 17.1'"), program("no program")}
	if got := installed(t.Context(), dirs); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

// Without any programs, the error names the ways out.
func TestFailedFetchNamesTheAlternatives(t *testing.T) {
	t.Parallel()
	empty := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(empty.Close)
	cache := t.TempDir()
	_, err := installedOrFetched(t.Context(), nil, cache, Options{BinariesURL: empty.URL, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Fatal("fetched from an empty repository")
	}
	for _, way := range []string{"install PostgreSQL", "DATABASE_URL", "docker compose up"} {
		if !strings.Contains(err.Error(), way) {
			t.Errorf("%q is not in: %v", way, err)
		}
	}
	if left, _ := os.ReadDir(cache); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDefaultDataDirFollowsXDGExceptForRoot(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", dir)
	want := filepath.Join(dir, "eventbooking")
	if os.Geteuid() == 0 {
		want = "/var/lib/eventbooking"
	}
	if got := DefaultDataDir(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
