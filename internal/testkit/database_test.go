//go:build unix

package testkit_test

import (
	"context"
	"fmt"
	"testing"

	"eventbooking/internal/testkit"
)

func TestEveryTestHasItsOwnDatabase(t *testing.T) {
	for i := range 12 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			pool := testkit.Database(t)
			var tables int
			ctx := context.Background()
			if err := pool.QueryRow(ctx, "SELECT count(*) FROM pg_tables WHERE schemaname = 'river'").Scan(&tables); err != nil {
				t.Fatal(err)
			}
			if tables == 0 {
				t.Error("the database is not migrated")
			}
			// Fails when another test sees the same database.
			if _, err := pool.Exec(ctx, "CREATE TABLE mine ()"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	var name string
	ctx := context.Background()
	t.Run("inner", func(t *testing.T) {
		pool := testkit.Database(t)
		if err := pool.QueryRow(ctx, "SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	var exists bool
	if err := testkit.Database(t).QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
		t.Fatal(err)
	}
	if exists {
		t.Errorf("%s is still there", name)
	}
}

func TestMaxConnsSetsThePoolSize(t *testing.T) {
	t.Parallel()
	if got := testkit.DatabaseWith(t, testkit.MaxConns(50)).Config().MaxConns; got != 50 {
		t.Errorf("MaxConns = %d, want 50", got)
	}
}

// BenchmarkDatabase measures what a database costs a test, without its drop.
func BenchmarkDatabase(b *testing.B) {
	for b.Loop() {
		testkit.DatabaseURL(b)
	}
}
