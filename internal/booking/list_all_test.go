package booking_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/booking"
	"eventbooking/internal/page"
	"eventbooking/internal/testkit"
	"eventbooking/internal/view"
)

// crowd is an event with 500 slots around now, in each of which me has three bookings, and
// a last slot for which 3,000 wait, not in the order in which they came: some have left,
// and some have seats.
type crowd struct {
	env
	me, organizer  access.Caller
	event, awaited uuid.UUID
	mine, others   []listed
}

// listed is a booking with what the lists ask for.
type listed struct {
	ID               uuid.UUID
	SlotID           uuid.UUID
	Status           string
	StartsAt, EndsAt time.Time
	Position         int
}

func openCrowd(t *testing.T) crowd {
	t.Helper()
	c := crowd{env: open(t)}
	c.me = c.attendee(t)
	event := testkit.Event(t, c.pool)
	c.event, c.organizer, c.awaited = event.ID, organizerOf(event), testkit.Slot(t, c.pool, event.ID, testkit.Times(9000*time.Hour, 9001*time.Hour)).ID
	c.exec(t, `ALTER TABLE slots DISABLE TRIGGER USER`)
	c.exec(t, `INSERT INTO slots (id, event_id, starts_at, ends_at, capacity)
	 SELECT gen_random_uuid(), $1, at, at + interval '1 hour', 10
	 FROM (SELECT now() - interval '30 minutes' + (n - 250) * interval '10 hours' AS at FROM generate_series(1, 500) n) s`, c.event)
	c.exec(t, `INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, created_at, updated_at)
	 SELECT gen_random_uuid(), s.id, $2, s.during, 1,
		CASE WHEN k < 2 THEN 'cancelled' ELSE (ARRAY['confirmed', 'waitlisted', 'expired'])[1 + s.n % 3] END, 1, k + 1, now(), now()
	 FROM (SELECT *, row_number() OVER (ORDER BY starts_at) AS n FROM slots WHERE id <> $3 AND event_id = $1) s, generate_series(0, 2) k`, c.event, c.me.UserID, c.awaited)
	c.exec(t, `INSERT INTO users (id, email, name, password_hash)
	 SELECT gen_random_uuid(), n || '@crowd.org', 'Some One', '' FROM generate_series(1, 3200) n`)
	c.exec(t, `INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, created_at, updated_at)
	 SELECT md5(u.n::text)::uuid, s.id, u.id, s.during, 1, CASE WHEN u.n % 32 = 0 THEN 'confirmed' WHEN u.n % 31 = 0 THEN 'cancelled' ELSE 'waitlisted' END,
		1, u.n * 7 % 3201, now(), now()
	 FROM slots s, (SELECT id, row_number() OVER () AS n FROM users WHERE email LIKE '%@crowd.org') u
	 WHERE s.id = $1`, c.awaited)
	c.exec(t, `UPDATE slots s SET waitlist_length = (SELECT count(*) FROM bookings b WHERE b.slot_id = s.id AND b.status = 'waitlisted')`)
	c.exec(t, `VACUUM ANALYZE bookings`)
	rows, err := c.pool.Query(t.Context(), `
		SELECT b.id, b.slot_id, b.status, s.starts_at, s.ends_at,
		       CASE b.status WHEN 'waitlisted' THEN rank() OVER (PARTITION BY b.slot_id, b.status ORDER BY b.queued_version) ELSE 0 END::int AS position
		FROM bookings b JOIN slots s ON s.id = b.slot_id
		ORDER BY b.id`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[listed])
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if b.SlotID == c.awaited {
			c.others = append(c.others, b)
		} else {
			c.mine = append(c.mine, b)
		}
	}
	return c
}

// sameList reads a list to its end, and compares it with what it must have.
func sameList(t *testing.T, list func(page.Ask) (page.Page[view.Booking], error), want []listed) {
	t.Helper()
	limit := 93
	for ask, n := (page.Ask{Limit: &limit}), 0; ; {
		p, err := list(ask)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range p.Items {
			if n == len(want) || b.ID != want[n].ID || b.Position != want[n].Position {
				t.Fatalf("at %d of %d: %v at position %d", n, len(want), b.ID, b.Position)
			}
			n++
		}
		if p.Next == "" {
			if n != len(want) {
				t.Fatalf("%d bookings, want %d", n, len(want))
			}
			return
		}
		ask.Cursor = &p.Next
	}
}

func only(list []listed, keep func(listed) bool) []listed {
	return slices.DeleteFunc(slices.Clone(list), func(b listed) bool { return !keep(b) })
}

// Each list has all its bookings once, in order, with their positions: whatever the
// filter, and where many have the same start.
func TestListsOfBookingsAreComplete(t *testing.T) {
	t.Parallel()
	c := openCrowd(t)
	now := time.Now()
	everything := append(slices.Clone(c.mine), c.others...)
	for _, statuses := range []booking.Statuses{nil, {"cancelled"}, {"waitlisted"}, {"waitlisted", "confirmed"}, {"expired", "held", "cancelled"}, {"offered"}} {
		has := func(b listed) bool { return len(statuses) == 0 || slices.Contains(statuses, b.Status) }
		for when, in := range map[booking.When]func(listed) bool{
			booking.Upcoming: func(b listed) bool { return b.StartsAt.After(now) },
			booking.Ongoing:  func(b listed) bool { return !b.StartsAt.After(now) && b.EndsAt.After(now) },
			booking.Past:     func(b listed) bool { return !b.EndsAt.After(now) },
			booking.Always:   func(listed) bool { return true },
		} {
			t.Run(fmt.Sprint("mine ", when, statuses), func(t *testing.T) {
				t.Parallel()
				want := only(c.mine, func(b listed) bool { return has(b) && in(b) })
				slices.SortFunc(want, func(a, b listed) int {
					byStart := a.StartsAt.Compare(b.StartsAt)
					if when != booking.Upcoming {
						byStart = -byStart
					}
					return cmp.Or(byStart, bytes.Compare(a.ID[:], b.ID[:]))
				})
				sameList(t, func(ask page.Ask) (page.Page[view.Booking], error) {
					return c.service.ListMine(t.Context(), c.me, statuses, when, ask)
				}, want)
			})
		}
		t.Run(fmt.Sprint("slot ", statuses), func(t *testing.T) {
			t.Parallel()
			sameList(t, func(ask page.Ask) (page.Page[view.Booking], error) {
				return c.service.ListOfSlot(t.Context(), c.organizer, c.awaited, statuses, ask)
			}, only(c.others, has))
		})
		t.Run(fmt.Sprint("event ", statuses), func(t *testing.T) {
			t.Parallel()
			want := only(everything, has)
			slices.SortFunc(want, func(a, b listed) int { return bytes.Compare(b.ID[:], a.ID[:]) })
			sameList(t, func(ask page.Ask) (page.Page[view.Booking], error) {
				return c.service.ListOfEvent(t.Context(), c.organizer, c.event, statuses, ask)
			}, want)
		})
	}
	t.Run("conflicts", func(t *testing.T) {
		t.Parallel()
		want := only(c.mine, func(b listed) bool { return b.Status == "confirmed" && b.EndsAt.After(now.AddDate(0, 0, -90)) })
		slices.SortFunc(want, func(a, b listed) int { return a.StartsAt.Compare(b.StartsAt) })
		sameList(t, func(ask page.Ask) (page.Page[view.Booking], error) {
			return c.service.ListConflicts(t.Context(), c.me, now.AddDate(0, 0, -90), now.AddDate(5, 0, 0), ask)
		}, want)
	})
}

// No list reads all bookings of a user or a slot, or a queue for each of its rows, also with
// a plan that was made for any parameters.
func TestListsOfBookingsReadLittleBesidesTheirPage(t *testing.T) {
	t.Parallel()
	c := openCrowd(t)
	conn, err := c.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), `SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off`); err != nil {
		t.Fatal(err)
	}
	all := []string{"waitlisted", "held", "offered", "confirmed", "cancelled", "expired"}
	last := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	q := db.New()
	for name, read := range map[string]func(context.Context, db.DBTX) error{
		"upcoming": func(ctx context.Context, tx db.DBTX) error {
			_, err := q.BookingsOfUser(ctx, tx, db.BookingsOfUserParams{UserID: c.me.UserID, Statuses: all, Phase: "upcoming", Page: 21})
			return err
		},
		"ongoing": func(ctx context.Context, tx db.DBTX) error {
			_, err := q.BookingsOfUser(ctx, tx, db.BookingsOfUserParams{UserID: c.me.UserID, Statuses: all, Phase: "ongoing", AfterStarts: last, Page: 21})
			return err
		},
		"of all times": func(ctx context.Context, tx db.DBTX) error {
			_, err := q.BookingsOfUser(ctx, tx, db.BookingsOfUserParams{UserID: c.me.UserID, Statuses: all, Phase: "all", AfterStarts: last, Page: 21})
			return err
		},
		"slot": func(ctx context.Context, tx db.DBTX) error {
			_, err := q.BookingsOfSlot(ctx, tx, db.BookingsOfSlotParams{SlotID: c.awaited, Statuses: all, Page: 21})
			return err
		},
		"conflicts": func(ctx context.Context, tx db.DBTX) error {
			_, err := q.BookingsConflicting(ctx, tx, db.BookingsConflictingParams{UserID: c.me.UserID, StartsAt: time.Now().AddDate(-1, 0, 0), EndsAt: last, Page: 21})
			return err
		},
	} {
		cost := &testkit.Explained{DBTX: conn}
		if err := read(t.Context(), cost); err != nil {
			t.Fatal(err)
		}
		// At most a page of each status, and once the queue.
		limit := 600
		if name == "slot" {
			limit += 3000
		}
		if cost.Rows > limit {
			t.Errorf("%s looks at %d rows:\n%s", name, cost.Rows, cost.Plans)
		}
	}
}

// A list without a filter names all statuses that the database knows.
func TestListsNameAllStatuses(t *testing.T) {
	t.Parallel()
	e := open(t)
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID)
	rows, err := e.pool.Query(t.Context(), `
		SELECT m[1] FROM pg_constraint, regexp_matches(pg_get_constraintdef(oid), '''(\w+)''', 'g') m
		WHERE conname = 'bookings_status' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(statuses) < 6 {
		t.Fatal(statuses, err)
	}
	for _, status := range statuses {
		e.exec(t, `
			INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, expires_at, created_at, updated_at)
			SELECT gen_random_uuid(), id, $2, during, 1, $3, 1, 1, CASE WHEN $3 IN ('held', 'offered') THEN now() END, now(), now() FROM slots WHERE id = $1`,
			slot.ID, e.attendee(t).UserID, status)
	}
	list, err := e.service.ListOfSlot(t.Context(), testkit.User(t, e.pool, access.Admin), slot.ID, nil, page.Ask{})
	if err != nil || len(list.Items) != len(statuses) {
		t.Errorf("%d of %d, %v", len(list.Items), len(statuses), err)
	}
}

// The newest bookings of an event wait at the end of the queue: their positions need no count
// of all who are before them.
func TestBookingsOfAnEventReadTheEndOfTheQueue(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Times(48*time.Hour, 49*time.Hour))
	const waiting = 4000
	testkit.Exec(t, e.pool, `
		WITH people AS (
			INSERT INTO users (id, email, name, password_hash)
			SELECT lpad(to_hex(n), 32, '0')::uuid, n || '@queue.org', 'Some One', '' FROM generate_series(1, $2::int) n
			RETURNING id, split_part(email, '@', 1)::int AS n)
		INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, created_at, updated_at)
		SELECT u.id, s.id, u.id, s.during, 1, 'waitlisted', n, n, now(), now() FROM slots s, people u WHERE s.id = $1`, slot.ID, waiting)
	testkit.Exec(t, e.pool, `UPDATE slots SET waitlist_length = $2 WHERE id = $1`, slot.ID, waiting)
	e.exec(t, `VACUUM ANALYZE bookings`)
	conn, err := e.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), `SET enable_seqscan = off`); err != nil {
		t.Fatal(err)
	}
	cost := &testkit.Explained{DBTX: conn}
	rows, err := db.New().BookingsOfEvent(t.Context(), cost, db.BookingsOfEventParams{EventID: event.ID, Statuses: []string{"waitlisted"}, BeforeID: uuid.Max, Page: 21})
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		if row.Position != int64(waiting-i) {
			t.Errorf("the booking at %d is at position %d", i, row.Position)
		}
	}
	if len(rows) != 21 || cost.Rows > 500 {
		t.Errorf("%d bookings; looks at %d rows:\n%s", len(rows), cost.Rows, cost.Plans)
	}
}
