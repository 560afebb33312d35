//go:build unix

package postgres_test

import (
	"testing"

	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/testkit"
)

// The pool of a service that is started before its database and survives outages.
func TestPoolRecoversFromAnOutage(t *testing.T) {
	testkit.SkipIfShort(t, "it starts and stops servers")
	t.Parallel()
	dir := testkit.ServerDir(t)
	e := testkit.Embedded(t, dir)
	url := e.URL()
	testkit.StopEmbedded(t, e)
	pool, err := postgres.Open(t.Context(), url, postgres.PoolOptions{MaxConns: 4, Name: "outage"})
	must(t, err)
	t.Cleanup(pool.Close)
	work := func() error { return postgres.InTx(t.Context(), pool, run("SELECT")) }
	wantFault(t, work(), fault.DatabaseUnavailable)
	for range 2 {
		e = testkit.Embedded(t, dir)
		testkit.Await(t, "the pool works when the database is there", work)
		if got := testkit.QueryOn[string](t, url, "SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name = 'outage'"); got != "outage" {
			t.Errorf("application_name is %q", got)
		}
		testkit.StopEmbedded(t, e)
		wantFault(t, work(), fault.DatabaseUnavailable)
	}
}
