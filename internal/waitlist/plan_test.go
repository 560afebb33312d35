package waitlist_test

import (
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/testkit"
)

// Why a booking waits is found out without looking for the other seats of each who is ahead,
// where few seats are taken at that time; otherwise with one look-up for each. Both see the
// same, also with a plan that was made for any parameters.
func TestPositionLooksForFewSeatsElsewhere(t *testing.T) {
	t.Parallel()
	const ahead, busy = 1000, 10
	pool := testkit.Database(t)
	event := testkit.Event(t, pool).ID
	slot, beside := testkit.Slot(t, pool, event), testkit.Slot(t, pool, event)
	crowd := testkit.Slot(t, pool, event, testkit.Capacity(ahead))
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO users (id, email, name, password_hash) SELECT md5(n::text)::uuid, n || '@queue.org', 'Some One', '' FROM generate_series(1, $1::int + 1) n`, []any{ahead}},
		{`INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, created_at, updated_at)
		  SELECT md5(n::text)::uuid, s.id, md5(n::text)::uuid, s.during, 1, 'waitlisted', n, n, now(), now()
		  FROM slots s, generate_series(1, $1::int + 1) n WHERE s.id = $2`, []any{ahead, slot.ID}},
		{`INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, created_at, updated_at)
		  SELECT md5('busy' || n)::uuid, s.id, md5(n::text)::uuid, s.during, 1, 'confirmed', n, now(), now()
		  FROM slots s, generate_series(1, $1::int) n WHERE s.id = $2`, []any{busy, beside.ID}},
		{`ANALYZE bookings`, nil},
	} {
		testkit.Exec(t, pool, statement.sql, statement.args...)
	}
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), `SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off`); err != nil {
		t.Fatal(err)
	}
	var last uuid.UUID
	if err := conn.QueryRow(t.Context(), `SELECT id FROM bookings WHERE status = 'waitlisted' ORDER BY queued_version DESC LIMIT 1`).Scan(&last); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ seats, buffers int }{{busy, 500}, {ahead, 4 * ahead}} {
		if _, err := conn.Exec(t.Context(), `UPDATE slots SET seats_taken = $2 WHERE id = $1`, crowd.ID, c.seats); err != nil {
			t.Fatal(err)
		}
		cost := &testkit.Explained{DBTX: conn}
		row, err := db.New().WaitlistPositionGet(t.Context(), cost, last)
		if err != nil {
			t.Fatal(err)
		}
		if row.BookingsAhead != ahead || row.ReadyBookingsAhead != ahead-busy || row.ReadySeatsAhead != ahead-busy {
			t.Errorf("%d bookings ahead, %d ready, %d seats", row.BookingsAhead, row.ReadyBookingsAhead, row.ReadySeatsAhead)
		}
		if cost.Buffers > c.buffers {
			t.Errorf("with %d seats taken at that time, it reads %d pages for %d bookings ahead:\n%s", c.seats, cost.Buffers, ahead, cost.Plans)
		}
	}
}
