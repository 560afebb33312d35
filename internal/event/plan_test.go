//go:build unix

package event

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/access"
	"eventbooking/internal/testkit"
)

// databaseOfManyEvents has 20,000 events of three slots each, a tenth of them drafts and a seventh full,
// spread over nine months around now, and created in the four months before. Every fourth
// has a frequent word.
func databaseOfManyEvents(t *testing.T) *pgxpool.Pool {
	pool := testkit.Database(t)
	testkit.User(t, pool, access.Organizer)
	for _, sql := range []string{
		`ALTER TABLE slots DISABLE TRIGGER USER`,
		`INSERT INTO events (id, organizer_id, title, description, time_zone, status, published_at, starts_at, ends_at, created_at,
			cancellation_closes_minutes, waitlist_mode, offer_minutes, fit, max_passes, hold_minutes)
		 SELECT gen_random_uuid(), (SELECT id FROM users), 'Event ' || n, 'about w' || n % 1000 || ' q' || n % 4, 'UTC',
			CASE WHEN n % 10 = 0 THEN 'draft' ELSE 'published' END, now(),
			now() + (n - 10000) * interval '20 minutes', now() + (n - 10000) * interval '20 minutes' + interval '2 days',
			now() + (n - 15000 - n * 7919 % 5000) * interval '20 minutes',
			0, 'automatic', 60, 'strict', 3, 10
		 FROM generate_series(1, 20000) n`,
		`INSERT INTO slots (id, event_id, starts_at, ends_at, capacity, seats_taken)
		 SELECT gen_random_uuid(), e.id, e.starts_at + n * interval '12 hours', e.starts_at + n * interval '12 hours' + interval '2 hours',
			10, CASE WHEN hashtext(e.title) % 7 = 0 THEN 10 ELSE 0 END
		 FROM events e, generate_series(0, 2) n`,
		`ANALYZE events`, `ANALYZE slots`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}

// No list reads all events, or many that are not on its page.
func TestListsReadLittleBesidesTheirPage(t *testing.T) {
	testkit.SkipIfShort(t, "it inserts 80,000 rows")
	t.Parallel()
	pool := databaseOfManyEvents(t)
	var few uuid.UUID
	if err := pool.QueryRow(t.Context(), `UPDATE events SET organizer_id = $1 WHERE title IN ('Event 1', 'Event 11', 'Event 19999') RETURNING organizer_id`,
		testkit.User(t, pool, access.Organizer).UserID).Scan(&few); err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	words := func(s string) *string { return &s }
	day := func(n int) *time.Time { at := time.Now().AddDate(0, 0, n); return &at }
	// pages is how many the list by start may read: 90 are the events and slots of a page.
	for name, c := range map[string]struct {
		Filter
		pages int
	}{
		"upcoming": {Filter{Phase: Upcoming}, 150}, "past": {Filter{Phase: Past}, 300}, "all": {Filter{Phase: Always}, 150},
		"to": {Filter{Phase: Always, To: day(-3)}, 150}, "upcoming, to": {Filter{Phase: Upcoming, To: day(30)}, 150},
		// 144 events are running.
		"ongoing": {Filter{Phase: Ongoing}, 350}, "from": {Filter{Phase: Always, From: day(-3)}, 350}, "from and to": {Filter{Phase: Always, From: day(3), To: day(4)}, 350},
		"upcoming, from": {Filter{Phase: Upcoming, From: day(30)}, 350}, "past, from": {Filter{Phase: Past, From: day(-30)}, 350},
		"available": {Filter{Phase: Upcoming, Available: &yes}, 250}, "available of all": {Filter{Phase: Always, Available: &yes}, 1000},
		"unavailable of all": {Filter{Phase: Always, Available: &no}, 1500}, "past, available": {Filter{Phase: Past, Available: &yes}, 0},
		"a few events": {Filter{Phase: Always, OrganizerID: &few}, 50}, "a few events, upcoming": {Filter{Phase: Upcoming, OrganizerID: &few}, 50},
		"a few events, past": {Filter{Phase: Past, OrganizerID: &few}, 50},
		"the first":          {Filter{Phase: Always, Words: words("1")}, nearSteps + 100}, "the last": {Filter{Phase: Always, Words: words("20000 or 19999")}, nearSteps + 100},
		"the last, upcoming": {Filter{Phase: Upcoming, Words: words("19999")}, nearSteps + 100}, "some": {Filter{Phase: Always, Words: words("w7")}, nearSteps + 300},
		"every": {Filter{Phase: Always, Words: words("event")}, 250},
		"frequent, past": {Filter{Phase: Past, Words: words("q3")}, 400}, "frequent, upcoming": {Filter{Phase: Upcoming, Words: words("q3")}, 400},
	} {
		for order, o := range map[string]Filter{"starts": {ByStart: true}, "-starts": {ByStart: true, Backwards: true}, "created": {}, "-created": {Backwards: true}} {
			f, limit := c.Filter, c.pages
			if f.ByStart, f.Backwards = o.ByStart, o.Backwards; !f.ByStart {
				limit += 3500 // a page of each of 40 weeks
			}
			key := f.firstKey()
			for _, pageName := range []string{"first page", "page far behind"} {
				conn := &testkit.Explained{DBTX: pool}
				if _, err := f.load(t.Context(), conn, access.Nobody, key, 21); err != nil {
					t.Fatal(err)
				}
				if conn.Buffers > limit || strings.Contains(conn.Plans, "Seq Scan on events") || strings.Contains(conn.Plans, "Seq Scan on slots") {
					t.Errorf("%s by %s, %s, reads %d pages, want at most %d:\n%s", name, order, pageName, conn.Buffers, limit, conn.Plans)
				}
				rows, err := f.load(t.Context(), pool, access.Nobody, key, 1500)
				if err != nil {
					t.Fatal(err)
				}
				if len(rows) < 1500 {
					break
				}
				key = f.keyOf(rows[1499])
			}
		}
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
