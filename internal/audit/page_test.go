package audit_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/access"
	"eventbooking/internal/audit"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
	"eventbooking/internal/seed"
	"eventbooking/internal/testkit"
)

// What belongs to the last id of all, or to one after it, is on a page too.
func TestDoctorExaminesTheLastPage(t *testing.T) {
	testkit.SkipIfShort(t, "it corrupts and heals a database several times")
	t.Parallel()
	pool := testkit.Database(t)
	if _, err := seed.Run(t.Context(), pool, seed.Options{Number: 7}); err != nil {
		t.Fatal(err)
	}
	script(t, pool, disarm)
	for check, sql := range map[string]string{
		"waitlist as the bookings say":    `UPDATE slots SET waitlist_length = waitlist_length + 1 WHERE id = (SELECT id FROM slots ORDER BY id DESC LIMIT 1)`,
		"slots as their last entries say": `UPDATE slots SET capacity = capacity + 1 WHERE id = (SELECT id FROM slots ORDER BY id LIMIT 1)`,
		"versions without gaps": `INSERT INTO slots (id, event_id, starts_at, ends_at, capacity)
			SELECT 'ffffffff-ffff-ffff-ffff-ffffffffffff', event_id, starts_at, ends_at, capacity FROM slots LIMIT 1`,
		"bookings at their slots' times": `INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, created_at, updated_at)
			SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000000', user_id, during, seats, 'cancelled', 1, now(), now() FROM bookings LIMIT 1`,
		"no overlap": `INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, created_at, updated_at)
			SELECT gen_random_uuid(), slot_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff', during, seats, 'confirmed', 1, now(), now()
			FROM (SELECT * FROM bookings LIMIT 1) b, generate_series(1, 2)`,
		"held seats are bounded": `INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, expires_at, created_at, updated_at)
			SELECT gen_random_uuid(), slot_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff', during, 21, 'held', 1, now() + interval '1 minute', now(), now()
			FROM (SELECT * FROM bookings LIMIT 1) b`,
		"events span their slots": `UPDATE events SET ends_at = ends_at + interval '1 minute' WHERE id = (SELECT id FROM events ORDER BY id DESC LIMIT 1)`,
	} {
		script(t, pool, "SET session_replication_role = replica;"+sql)
		findings := diagnose(t, pool)
		script(t, pool, heal)
		if !slices.ContainsFunc(findings, func(f audit.Finding) bool { return f.Check == check }) {
			t.Errorf("%q found nothing; all findings: %v", check, findings)
		}
	}
}

// longQueue makes a slot where thousands waited for a seat and got it one after the
// other, in the order in which they came. Before the second half was served, half of
// the first half had been blocked and unblocked again. The bookings are of users who
// have none elsewhere.
const longQueue = `
	SET session_replication_role = replica;
	CREATE TABLE line AS
		SELECT n, gen_random_uuid() AS booking_id, gen_random_uuid() AS user_id FROM generate_series(1, 5000) n;
	INSERT INTO users (id, email, name, password_hash) SELECT user_id, user_id || '@test.com', 'Waiter', '' FROM line;
	INSERT INTO ledger (slot_id, version, kind, booking_id, user_id, seats, status, capacity, seats_taken, waitlist_length, actor, cause_slot_id, cause_version, at)
		SELECT s.id, 1 + row_number() OVER (ORDER BY e.turn, e.n), e.kind, e.booking_id, e.user_id, 1, e.status, s.capacity,
			count(*) FILTER (WHERE e.kind = 'promoted') OVER log,
			count(*) FILTER (WHERE e.kind = 'waitlisted') OVER log - count(*) FILTER (WHERE e.kind = 'promoted') OVER log,
			'system', CASE WHEN kind IN ('promoted', 'unblocked') THEN s.id END, CASE WHEN kind IN ('promoted', 'unblocked') THEN 1 END, now()
		FROM slots s, (
			SELECT 1 AS turn, *, 'waitlisted' AS kind, 'waitlisted' AS status FROM line
			UNION ALL SELECT 2, *, 'blocked', 'waitlisted' FROM line WHERE n <= 2500
			UNION ALL SELECT 3, *, 'promoted', 'confirmed' FROM line WHERE n > 2500
			UNION ALL SELECT 4, *, 'unblocked', 'waitlisted' FROM line WHERE n <= 2500
			UNION ALL SELECT 5, *, 'promoted', 'confirmed' FROM line WHERE n <= 2500
		) e
		WINDOW log AS (ORDER BY e.turn, e.n);
	INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, created_at, updated_at)
		SELECT DISTINCT ON (l.booking_id) l.booking_id, l.slot_id, l.user_id, s.during, 1, l.status, l.version, NULL, now(), now()
		FROM ledger l JOIN slots s ON s.id = l.slot_id WHERE l.booking_id IS NOT NULL ORDER BY l.booking_id, l.version DESC;
	UPDATE slots SET (version, seats_taken) = (SELECT max(version), 5000 FROM ledger);`

// In a queue of thousands one booking that is served too early is found and named, with
// each that it jumped over, and nothing else is.
func TestDoctorFindsAJumpInALongQueue(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	slot := testkit.Slot(t, pool, testkit.Event(t, pool).ID, testkit.Capacity(5000))
	script(t, pool, longQueue)
	if findings := diagnose(t, pool); len(findings) > 0 {
		t.Fatalf("a healthy queue has %v", findings)
	}
	// The booking at place 4004 and the one at place 4001 swap their turns.
	script(t, pool, `SET session_replication_role = replica; CREATE TABLE swap AS
		SELECT l.slot_id, l.version, o.booking_id, o.user_id FROM ledger l, line a, line b, line o
		WHERE a.n = 4001 AND b.n = 4004 AND l.kind = 'promoted'
		  AND ((l.booking_id, o.n) = (a.booking_id, b.n) OR (l.booking_id, o.n) = (b.booking_id, a.n));
		UPDATE ledger l SET booking_id = s.booking_id, user_id = s.user_id FROM swap s WHERE (l.slot_id, l.version) = (s.slot_id, s.version);
		UPDATE bookings b SET version = s.version FROM swap s WHERE b.id = s.booking_id`)
	var early string
	var over []string
	err := pool.QueryRow(t.Context(), `SELECT (SELECT booking_id::text FROM line WHERE n = 4004), array_agg(booking_id::text ORDER BY n) FROM line WHERE n BETWEEN 4001 AND 4003`).Scan(&early, &over)
	if err != nil {
		t.Fatal(err)
	}
	jumps := 0
	for _, f := range diagnose(t, pool) {
		jumped := slices.ContainsFunc(over, func(id string) bool { return strings.Contains(f.Detail, "while booking "+id) })
		switch {
		case f.Check != "no queue jumping" || f.SlotID != slot.ID:
			t.Errorf("also found: %v", f)
		case f.BookingID.String() == early && jumped,
			strings.Contains(f.Detail, "while booking "+over[0]): // it is behind all of them, then
			jumps++
		default:
			t.Errorf("the wrong jump: %v", f)
		}
	}
	if jumps != 5 {
		t.Errorf("%d jumps, want that of %s over %v, and those of two of these over the first", jumps, early, over)
	}
}

// manySlots has the rows of many pages: 20,000 slots with a booking each.
const manySlots = `
	SET session_replication_role = replica;
	INSERT INTO users (id, email, name, password_hash)
		SELECT gen_random_uuid(), n || '@test.com', 'Attendee', '' FROM generate_series(1, 20000) n;
	INSERT INTO events (id, organizer_id, title, time_zone, status, published_at, created_at,
			cancellation_closes_minutes, waitlist_mode, offer_minutes, fit, max_passes, hold_minutes)
		SELECT gen_random_uuid(), organizer_id, title, time_zone, status, published_at, created_at,
			cancellation_closes_minutes, waitlist_mode, offer_minutes, fit, max_passes, hold_minutes
		FROM events, generate_series(1, 20000);
	INSERT INTO slots (id, event_id, starts_at, ends_at, capacity, version, seats_taken)
		SELECT gen_random_uuid(), id, now() + interval '1 day', now() + interval '2 days', 2, 2, 1 FROM events;
	UPDATE events e SET starts_at = s.starts_at, ends_at = s.ends_at FROM slots s WHERE s.event_id = e.id;
	INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, created_at, updated_at)
		SELECT gen_random_uuid(), s.id, u.id, s.during, 1, 'confirmed', 2, now(), now()
		FROM (SELECT id, during, row_number() OVER () AS n FROM slots) s JOIN (SELECT id, row_number() OVER () AS n FROM users) u USING (n);
	INSERT INTO ledger (slot_id, version, kind, capacity, seats_taken, waitlist_length, actor, at)
		SELECT id, 1, 'opened', 2, 0, 0, 'system', now() FROM slots;
	INSERT INTO ledger (slot_id, version, kind, booking_id, user_id, seats, status, capacity, seats_taken, waitlist_length, actor, actor_id, cause_slot_id, cause_version, at)
		SELECT slot_id, 2, 'confirmed', id, user_id, 1, 'confirmed', 2, 1, 0, 'attendee', user_id, slot_id, 1, now() FROM bookings;
	INSERT INTO idempotency_keys (user_id, key, fingerprint, status, header, body)
		SELECT id, 'k', decode(repeat('00', 32), 'hex'), 201, '{}', '' FROM users;
	ANALYZE;`

// No page reads a table or an index whole, since all pages together would then take
// quadratic time. With 20 pages of users and 40 of slots, one check that does so reads
// more rows than all are allowed here.
func TestNoPageReadsAWholeTable(t *testing.T) {
	testkit.SkipIfShort(t, "it inserts 160,000 rows")
	t.Parallel()
	const rowsOfChecks = 20
	url := testkit.DatabaseURL(t)
	pool := testkit.Connect(t, url)
	testkit.User(t, pool, access.Organizer)
	testkit.Event(t, pool)
	script(t, pool, manySlots)
	before := tablesRead(t, pool)

	examined, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := audit.DoctorInPages(t.Context(), examined, nil, 1000)
	examined.Close() // then the server has counted all that was read
	if err != nil || len(findings) > 0 {
		t.Fatalf("%v, %v", findings, err)
	}
	for table, now := range tablesRead(t, pool) {
		whole, rows := now.whole-before[table].whole, now.rows-before[table].rows
		if whole > 0 || rows > rowsOfChecks*now.size {
			t.Errorf("%s: read whole %d times, %d rows by indexes, and it has %d", table, whole, rows, now.size)
		}
	}
}

// reads counts how often a table was read whole, and the rows that its indexes gave.
type reads struct{ whole, rows, size int64 }

func tablesRead(t *testing.T, pool *pgxpool.Pool) map[string]reads {
	t.Helper()
	rows, err := pool.Query(t.Context(), `
		SELECT t.relname::text, t.seq_scan, sum(i.idx_tup_read)::bigint, t.n_live_tup FROM pg_stat_user_tables t
		JOIN pg_stat_user_indexes i USING (relid)
		WHERE t.relname IN ('users', 'events', 'slots', 'bookings', 'ledger', 'idempotency_keys')
		GROUP BY t.relname, t.seq_scan, t.n_live_tup`)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]reads{}
	for rows.Next() {
		var table string
		var r reads
		if err := rows.Scan(&table, &r.whole, &r.rows, &r.size); err != nil {
			t.Fatal(err)
		}
		tables[table] = r
	}
	if rows.Err() != nil || len(tables) != 6 {
		t.Fatalf("%v, %v", tables, rows.Err())
	}
	return tables
}

// Pages see the database at different moments. That breaks no promise.
func TestDoctorFindsNothingWhileTheDeskIsBusy(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t)
	d := testkit.Desk(t, pool)
	event := testkit.Event(t, pool)
	busy := make(chan struct{})
	var clients sync.WaitGroup
	for i := range time.Duration(4) {
		slot := testkit.Slot(t, pool, event.ID, testkit.Capacity(3), testkit.Times((2*i+1)*time.Hour, (2*i+2)*time.Hour)).ID
		users := make([]uuid.UUID, 6)
		for n := range users {
			users[n] = testkit.User(t, pool, access.Attendee).UserID
		}
		clients.Go(func() { bookAndCancel(t, d, slot, users, busy) })
	}
	for range 5 {
		findings, err := audit.DoctorInPages(t.Context(), pool, nil, 1)
		if err != nil || slices.ContainsFunc(findings, func(f audit.Finding) bool { return !f.Warning }) {
			t.Errorf("%v, %v", findings, err)
		}
	}
	close(busy)
	clients.Wait()
}

// bookAndCancel lets users take turns in a slot that is too small for all of them, until
// done or for 10,000 turns.
func bookAndCancel(t *testing.T, d *desk.Desk, slot uuid.UUID, users []uuid.UUID, done <-chan struct{}) {
	bookings := make([]uuid.UUID, len(users))
	for turn := range 10_000 {
		select {
		case <-done:
			return
		default:
		}
		user, booking := users[turn%len(users)], &bookings[turn%len(users)]
		by := seating.Actor{Role: seating.ActorAttendee, ID: user}
		var command seating.Command = seating.Cancel{SlotID: slot, BookingID: *booking, UserID: user, By: by}
		if *booking == uuid.Nil {
			*booking = testkit.ID()
			command = seating.Book{BookingID: *booking, SlotID: slot, UserID: user, Seats: 1, IfFull: seating.Wait, By: by}
		} else {
			*booking = uuid.Nil
		}
		for _, c := range []seating.Command{command, seating.Promote{SlotID: slot}} {
			if _, err := d.Do(context.Background(), desk.Submission{Command: c}); err != nil {
				t.Error(err)
				return
			}
		}
	}
}
