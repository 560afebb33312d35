//go:build unix

package postgres_test

import (
	"context"
	"os"
	"testing"
	"testing/fstest"

	"eventbooking/internal/postgres"
	"eventbooking/internal/testkit"
)

const migrateSlowly = "migrate slowly"

func TestMain(m *testing.M) {
	testkit.RunJobs(map[string]testkit.JobFunc{
		migrateSlowly: func(ctx context.Context, url string) (string, error) {
			return "", postgres.MigrateUpFrom(ctx, url, slowMigrations)
		},
	})
	os.Exit(m.Run())
}

// slowMigrations leave time to be killed in the first of them.
var slowMigrations = fstest.MapFS{
	"migrations/000001_first.up.sql": {Data: []byte("CREATE TABLE first (); SELECT pg_sleep(2); CREATE TABLE second ()")},
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
