//go:build unix

package event

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/access"
	"eventbooking/internal/testkit"
)

// listed is an event with what the filters ask for.
type listed struct {
	ID                 uuid.UUID
	StartsAt, EndsAt   *time.Time
	CreatedAt          time.Time
	Status             string
	OrganizerID        uuid.UUID
	Rare, Often, Seats bool
}

// databaseOfMixedEvents has 8,000 events: many at the same times, some that last for
// months, every tenth without slots, every seventh a draft, and half of them full. None is
// within an hour of now, so that a test does not see time pass.
func databaseOfMixedEvents(t *testing.T) (*pgxpool.Pool, []listed) {
	pool := testkit.Database(t)
	testkit.User(t, pool, access.Organizer)
	testkit.User(t, pool, access.Organizer)
	for _, sql := range []string{
		`ALTER TABLE slots DISABLE TRIGGER USER`,
		`INSERT INTO events (id, organizer_id, title, time_zone, status, published_at, cancelled_at, starts_at, ends_at, created_at,
			cancellation_closes_minutes, waitlist_mode, offer_minutes, fit, max_passes, hold_minutes)
		 SELECT gen_random_uuid(), o[1 + (n % 100 = 3)::int], 'often' || CASE WHEN n % 500 = 7 THEN ' rare' ELSE '' END, 'UTC', status, now(),
			CASE WHEN status = 'cancelled' THEN now() END, at, at + CASE WHEN n % 50 = 0 THEN interval '90 days' ELSE interval '5 hours' END,
			now() - interval '1 year' + n * 31 % 1000 * interval '1 hour', 0, 'automatic', 60, 'strict', 3, 10
		 FROM (SELECT n, (SELECT array_agg(id ORDER BY id) FROM users) AS o,
				CASE WHEN n % 10 <> 1 THEN date_trunc('hour', now()) + interval '30 minutes' + (n * 37 % 1000 - 500 + (n * 37 % 1000 >= 495)::int * 10) * interval '3 hours' END AS at,
				CASE WHEN n % 7 = 0 THEN 'draft' WHEN n % 11 = 0 THEN 'cancelled' ELSE 'published' END AS status
			FROM generate_series(1, 8000) n) e`,
		`INSERT INTO slots (id, event_id, starts_at, ends_at, capacity, seats_taken)
		 SELECT gen_random_uuid(), id, starts_at, ends_at, 10, CASE WHEN hashtext(id::text) % 2 = 0 THEN 10 ELSE 0 END
		 FROM events WHERE starts_at IS NOT NULL`,
		`ANALYZE events`, `ANALYZE slots`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := pool.Query(t.Context(), `
		SELECT id, starts_at, ends_at, created_at, status, organizer_id, title LIKE '% rare' AS rare, true AS often,
		       status = 'published' AND EXISTS (SELECT FROM slots s WHERE s.event_id = e.id AND s.seats_taken < s.capacity AND s.starts_at > now()) AS seats
		FROM events e`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[listed])
	if err != nil {
		t.Fatal(err)
	}
	return pool, all
}

// has says whether an event is on a list, as the contract says it.
func (f Filter) has(e listed, now time.Time) bool {
	dated := e.StartsAt != nil
	switch {
	case e.Status == "draft",
		f.OrganizerID != nil && e.OrganizerID != *f.OrganizerID,
		f.Words != nil && *f.Words == "rare" && !e.Rare,
		f.Available != nil && *f.Available != e.Seats,
		f.From != nil && (!dated || !e.EndsAt.After(*f.From)),
		f.To != nil && (!dated || !e.StartsAt.Before(*f.To)):
		return false
	}
	switch f.Phase {
	case Upcoming:
		return dated && e.StartsAt.After(now)
	case Ongoing:
		return dated && !e.StartsAt.After(now) && e.EndsAt.After(now)
	case Past:
		return dated && !e.EndsAt.After(now)
	}
	return true
}

// order compares events as the contract says it: those without a start come last.
func (f Filter) order(a, b listed) int {
	direction := 1
	if f.Backwards {
		direction = -1
	}
	byCreation := direction * cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.ID[:], b.ID[:]))
	switch {
	case !f.ByStart, a.StartsAt == nil && b.StartsAt == nil:
		return byCreation
	case a.StartsAt == nil:
		return 1
	case b.StartsAt == nil:
		return -1
	}
	return direction * cmp.Or(a.StartsAt.Compare(*b.StartsAt), bytes.Compare(a.ID[:], b.ID[:]))
}

// Whatever way a list is read, it has each event that matches once, in order, page by page.
func TestListsAreCompleteWhateverWayTheyAreRead(t *testing.T) {
	t.Parallel()
	pool, all := databaseOfMixedEvents(t)
	yes, no, rare, often := true, false, "rare", "often"
	now := time.Now()
	at := func(hours int) *time.Time { at := now.Add(time.Duration(hours) * time.Hour); return &at }
	few := all[slices.IndexFunc(all, func(e listed) bool { return e.Rare })].OrganizerID
	var start *time.Time // of several events, and the bound of a part
	for _, e := range all {
		if e.StartsAt != nil && e.StartsAt.Before(now.AddDate(0, 0, -20)) {
			start = e.StartsAt
			break
		}
	}
	var filters []Filter
	for _, phase := range []Phase{Upcoming, Ongoing, Past, Always} {
		for _, f := range []Filter{
			{}, {From: at(-400)}, {To: at(-400)}, {From: at(-40), To: at(400)}, {From: at(400)}, {To: at(400)},
			{Available: &yes}, {Available: &no}, {OrganizerID: &few}, {Words: &rare}, {Words: &often},
			{Words: &rare, From: at(-400)}, {Available: &yes, From: at(100)}, {OrganizerID: &few, Words: &often, To: at(100)},
			{From: start}, {To: start}, {Words: &often, From: start}, {Words: &often, Available: &yes}, {OrganizerID: &few, From: at(-400)},
		} {
			f.Phase = phase
			filters = append(filters, f)
		}
	}
	for i, f := range filters {
		for _, o := range []Filter{{ByStart: true}, {ByStart: true, Backwards: true}, {}, {Backwards: true}} {
			f.ByStart, f.Backwards = o.ByStart, o.Backwards
			t.Run(fmt.Sprintf("%s, filter %d, by start %t, backwards %t", f.Phase, i, f.ByStart, f.Backwards), func(t *testing.T) {
				t.Parallel()
				want := slices.DeleteFunc(slices.Clone(all), func(e listed) bool { return !f.has(e, now) })
				slices.SortFunc(want, f.order)
				sameList(t, pool, f, want)
			})
		}
	}
}

// sameList reads a list in large pages, and compares it.
func sameList(t *testing.T, pool *pgxpool.Pool, f Filter, want []listed) {
	t.Helper()
	const size = 700
	for key, n := f.firstKey(), 0; ; n += size {
		got, err := f.load(t.Context(), pool, access.Nobody, key, size)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range got {
			if n+i >= len(want) || e.ID != want[n+i].ID {
				t.Fatalf("another event at %d of %d", n+i, len(want))
			}
		}
		if len(got) < size {
			if n+len(got) != len(want) {
				t.Fatalf("%d events, want %d", n+len(got), len(want))
			}
			return
		}
		key = f.keyOf(got[size-1])
	}
}
