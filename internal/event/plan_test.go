//go:build unix

package event

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/testkit"
)

// explained runs queries and keeps the plan of the last one.
type explained struct {
	db.DBTX
	plan string
}

// Query implements db.DBTX.
func (e *explained) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	rows, err := e.DBTX.Query(ctx, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "+sql, args...)
	if err != nil {
		return nil, err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	e.plan = strings.Join(lines, "\n")
	return e.DBTX.Query(ctx, sql, args...)
}

// databaseOfManyEvents has 20,000 events of three slots each, a tenth of them drafts,
// spread over a year around now.
func databaseOfManyEvents(t *testing.T) *pgxpool.Pool {
	pool := testkit.Database(t)
	testkit.User(t, pool, access.Organizer)
	for _, sql := range []string{
		`ALTER TABLE slots DISABLE TRIGGER USER`,
		`INSERT INTO events (id, organizer_id, title, description, time_zone, status, published_at, starts_at, ends_at, created_at,
			cancellation_closes_minutes, waitlist_mode, offer_minutes, fit, max_passes, hold_minutes)
		 SELECT gen_random_uuid(), (SELECT id FROM users), 'Event ' || n, 'about w' || n % 1000, 'UTC',
			CASE WHEN n % 10 = 0 THEN 'draft' ELSE 'published' END, now(),
			now() + (n - 10000) * interval '20 minutes', now() + (n - 10000) * interval '20 minutes' + interval '2 days', now() - n * interval '1 minute',
			0, 'automatic', 60, 'strict', 3, 10
		 FROM generate_series(1, 20000) n`,
		`INSERT INTO slots (id, event_id, starts_at, ends_at, capacity)
		 SELECT gen_random_uuid(), e.id, e.starts_at + n * interval '12 hours', e.starts_at + n * interval '12 hours' + interval '2 hours', 10
		 FROM events e, generate_series(0, 2) n`,
		`ANALYZE events`, `ANALYZE slots`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}

// No list reads all events, or slots of events that are not on its page.
func TestListsUseAnIndex(t *testing.T) {
	testkit.SkipIfShort(t, "it inserts 80,000 rows")
	t.Parallel()
	pool := databaseOfManyEvents(t)
	yes := true
	words := "w7"
	soon := time.Now().Add(48 * time.Hour)
	for name, c := range map[string]struct {
		filter Filter
		index  string
	}{
		"upcoming":  {Filter{Phase: Upcoming, ByStart: true}, "events_by_start"},
		"newest":    {Filter{Phase: Always, Backwards: true}, "events_by_creation"},
		"latest":    {Filter{Phase: Always, ByStart: true, Backwards: true}, "events_by_start"},
		"past":      {Filter{Phase: Past, ByStart: true, Backwards: true}, "events_by_start"},
		"available": {Filter{Phase: Upcoming, ByStart: true, Available: &yes}, "events_by_start"},
		"range":     {Filter{Phase: Upcoming, ByStart: true, To: &soon}, "events_by_start"},
		"words":     {Filter{Phase: Always, ByStart: true, Words: &words}, "events_by_words"},
		"ongoing":   {Filter{Phase: Ongoing, ByStart: true}, "events_by"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := &explained{DBTX: pool}
			rows, err := c.filter.load(t.Context(), conn, access.Nobody, c.filter.firstKey(), 21)
			if err != nil || len(rows) == 0 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			if strings.Contains(conn.plan, "Seq Scan") || !strings.Contains(conn.plan, c.index) {
				t.Errorf("the plan does not use %s:\n%s", c.index, conn.plan)
			}
		})
	}
}

// A prepared statement would get the same plan for all filters after a while.
func TestListsAreNotPrepared(t *testing.T) {
	t.Parallel()
	conn, err := testkit.Database(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	f := Filter{Phase: Upcoming}
	if _, err := f.load(t.Context(), conn, access.Nobody, f.firstKey(), 1); err != nil {
		t.Fatal(err)
	}
	var prepared int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%EventList%' AND statement NOT LIKE '%pg_prepared%'`).Scan(&prepared); err != nil {
		t.Fatal(err)
	}
	if prepared != 0 {
		t.Error("the list is prepared")
	}
}
