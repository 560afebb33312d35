//go:build unix

package postgres_test

import (
	"testing"

	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
)

// The pool of a service that was started before its database, and outlives an
// outage of it.
func TestPoolThroughAnOutage(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	e := embed(t, dir)
	url := e.URL()
	stop(t, e)
	pool, err := postgres.Open(t.Context(), url, postgres.PoolOptions{MaxConns: 4, Name: "outage"})
	must(t, err)
	t.Cleanup(pool.Close)
	work := func() error { return postgres.InTx(t.Context(), pool, run("SELECT")) }
	isFault(t, work(), fault.DatabaseUnavailable)
	for range 2 {
		e = embed(t, dir)
		eventually(t, "the pool works when the database is there", work)
		if got := query1[string](t, url, "SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name = 'outage'"); got != "outage" {
			t.Errorf("application_name is %q", got)
		}
		stop(t, e)
		isFault(t, work(), fault.DatabaseUnavailable)
	}
}
