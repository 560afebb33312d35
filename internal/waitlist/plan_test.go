package waitlist_test

import (
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/testkit"
)

// Why a booking waits is found out with one look-up for each booking ahead, and one in the
// queue for what holds it up, also with a plan that was made for any parameters.
func TestPositionLooksAtEachBookingAheadOnce(t *testing.T) {
	t.Parallel()
	const ahead = 1000
	pool := testkit.Database(t)
	slot := testkit.Slot(t, pool, testkit.Event(t, pool).ID)
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO users (id, email, name, password_hash) SELECT md5(n::text)::uuid, n || '@queue.org', 'Some One', '' FROM generate_series(1, $1::int + 1) n`, []any{ahead}},
		{`INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, created_at, updated_at)
		  SELECT md5(n::text)::uuid, s.id, md5(n::text)::uuid, s.during, 1, 'waitlisted', n, n, now(), now()
		  FROM slots s, generate_series(1, $1::int + 1) n WHERE s.id = $2`, []any{ahead, slot.ID}},
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
	if err := conn.QueryRow(t.Context(), `SELECT id FROM bookings ORDER BY queued_version DESC LIMIT 1`).Scan(&last); err != nil {
		t.Fatal(err)
	}

	cost := &testkit.Explained{DBTX: conn}
	row, err := db.New().WaitlistPositionGet(t.Context(), cost, last)
	if err != nil {
		t.Fatal(err)
	}
	if row.BookingsAhead != ahead || row.ReadySeatsAhead != ahead {
		t.Errorf("%d bookings ahead, %d ready seats", row.BookingsAhead, row.ReadySeatsAhead)
	}
	if cost.Buffers > 3*ahead {
		t.Errorf("reads %d pages for %d bookings ahead:\n%s", cost.Buffers, ahead, cost.Plans)
	}
}
