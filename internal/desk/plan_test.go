package desk_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// planner keeps the plan of a query that is given to it, and does not run it.
type planner struct {
	db.DBTX
	plan string
}

var errPlanned = errors.New("the query was only planned")

// Query implements db.DBTX.
func (p *planner) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	rows, err := p.DBTX.Query(ctx, "EXPLAIN (COSTS OFF) "+sql, args...)
	if err != nil {
		return nil, err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	p.plan = strings.Join(lines, "\n")
	return nil, errPlanned
}

// planOf returns the plan of a query that uses indexes wherever it can. Without rows and
// statistics, the planner would read the small tables as a whole.
func planOf[P, T any](t *testing.T, conn *pgxpool.Conn, query func(context.Context, db.DBTX, P) (T, error), params P) string {
	t.Helper()
	_, err := conn.Exec(t.Context(), `SET enable_seqscan = off; SET enable_bitmapscan = off; SET quote_all_identifiers = off`)
	must(t, err)
	p := &planner{DBTX: conn}
	if _, err := query(t.Context(), p, params); !errors.Is(err, errPlanned) {
		t.Fatal(err)
	}
	return p.plan
}

// What is due is found by its time in the index, not by looking at all that is held.
func TestWhatIsDueIsFoundByItsTime(t *testing.T) {
	t.Parallel()
	conn, err := testkit.Database(t).Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	q, ids := db.New(), []uuid.UUID{uuid.New()}
	for name, c := range map[string]struct {
		plan string
		want []string
	}{
		"holds of slots": {planOf(t, conn, q.BookingsDue, db.BookingsDueParams{SlotIds: ids, Page: seating.ExpirePage}),
			[]string{"Index Cond: ((slot_id = slot.id) AND (expires_at <= $"}},
		"slots": {planOf(t, conn, q.SlotsExpiring, db.SlotsExpiringParams{Resting: ids, Page: 10}),
			[]string{"Index Cond: (expires_at <= $", "using slots_with_queue", "Index Cond: (starts_at <= $"}},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.plan, want) {
				t.Errorf("%s: no %q in\n%s", name, want, c.plan)
			}
		}
	}
}

// takes_seats and is_live are inlined, and so match the partial indexes and the
// constraint whose conditions spell the statuses out.
func TestStatusRulesMatchTheIndexes(t *testing.T) {
	pool := testkit.Database(t)
	conn, err := pool.Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), `SET enable_seqscan = off`)
	must(t, err)
	for query, index := range map[string]string{
		`SELECT FROM bookings WHERE during && tstzrange(now(), now()) AND takes_seats(status)`:               "bookings_no_overlap",
		`SELECT id FROM bookings WHERE user_id = '01a1d789-58a8-75ed-b6d4-25b7b2d5d723' AND is_live(status)`: "bookings_one_live",
		`SELECT id FROM bookings WHERE slot_id = '01a1d789-58a8-75ed-b6d4-25b7b2d5d723' AND is_live(status)`: "bookings_live_by_slot",
	} {
		rows, err := conn.Query(t.Context(), "EXPLAIN (COSTS OFF) "+query)
		must(t, err)
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(t, err)
		if text := strings.Join(plan, "\n"); !strings.Contains(text, index) {
			t.Errorf("%s does not use %s:\n%s", query, index, text)
		}
	}
}

// Whether a user has a live booking of a slot is found without their other ones, also with
// a plan that was made without statistics.
func TestLiveBookingIsFoundByUserAndSlot(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 1)
	user := e.users[0]
	const others = 500
	testkit.Exec(t, e.pool, `
		INSERT INTO slots (id, event_id, starts_at, ends_at, capacity)
		SELECT gen_random_uuid(), $1, at, at + interval '1 hour', 1 FROM (SELECT now() + n * interval '1 day' AS at FROM generate_series(1, $2::int) n) s`, e.event, others)
	testkit.Exec(t, e.pool, `
		INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, created_at, updated_at)
		SELECT gen_random_uuid(), id, $1, during, 1, 'waitlisted', 1, 1, now(), now() FROM slots`, user)
	var slots []uuid.UUID
	must(t, e.pool.QueryRow(t.Context(), `SELECT array_agg(id) FROM (SELECT id FROM slots LIMIT 3) s`).Scan(&slots))
	conn, err := e.pool.Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), `SET plan_cache_mode = force_generic_plan`)
	must(t, err)
	for _, statistics := range []string{"", "ANALYZE bookings"} {
		_, err := conn.Exec(t.Context(), statistics)
		must(t, err)
		cost := &testkit.Explained{DBTX: conn}
		found, err := db.New().BookingsLive(t.Context(), cost, db.BookingsLiveParams{UserIds: []uuid.UUID{user, user, user}, SlotIds: slots})
		must(t, err)
		if len(found) != len(slots) || cost.Rows > 2*len(slots) {
			t.Errorf("%d found; looks at %d rows:\n%s", len(found), cost.Rows, cost.Plans)
		}
	}
}

// What is rarely there has an index of its own, and is not looked for among all the rest:
// blocked bookings in a long queue, and what is to be cancelled among all that ever was.
func TestWhatIsRareHasItsIndex(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 1)
	testkit.InsertFullSlots(t, e.pool, e.event, testkit.FullSlots{Slots: 1, Seated: 1, Waiting: 300})
	e.exec("ANALYZE bookings")
	conn, err := e.pool.Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	q, ids := db.New(), []uuid.UUID{uuid.New()}
	for index, plan := range map[string]string{
		"bookings_blocked_by_slot": planOf(t, conn, q.BookingsUnblockable, db.BookingsUnblockableParams{SlotIds: ids, Capacities: []int32{0}, Page: 10}),
		"slots_being_cancelled":    planOf(t, conn, q.SlotsToCancelBookings, db.SlotsToCancelBookingsParams{Resting: ids, Page: 10}),
		"events_being_cancelled":   planOf(t, conn, q.SlotsToCancel, db.SlotsToCancelParams{Resting: ids, Page: 10}),
		"slots_held_up":            planOf(t, conn, q.SlotsHeldUp, db.SlotsHeldUpParams{Resting: ids, Page: 10}),
	} {
		if !strings.Contains(plan, "using "+index) {
			t.Errorf("no %s in\n%s", index, plan)
		}
	}
}

// No index is about what each booking changes, so a change of the slot's row writes none
// (HOT). That it gets or loses its queue, or seats that nobody takes, is an exception.
func TestChangesOfASlotWriteNoIndex(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 1)
	slot := e.slot(5, 24)
	for i, c := range []struct {
		what         string
		seats, queue int32
		isHot        bool
	}{
		{"a booking", 4, 0, true},
		{"a queue begins", 5, 1, false},
		{"the queue grows", 5, 2, true},
		{"the queue shrinks", 5, 1, true},
		{"nobody takes a free seat", 4, 1, false},
		{"somebody takes it", 5, 1, false},
		{"the queue ends", 5, 0, false},
	} {
		must(t, pgx.BeginFunc(t.Context(), e.pool, func(tx pgx.Tx) error {
			before, hotBefore := changesOfSlots(t, tx)
			changeSlot(t, tx, slot, int64(i+2), c.seats, c.queue)
			if all, hot := changesOfSlots(t, tx); all-before != 1 || (hot-hotBefore == 1) != c.isHot {
				t.Errorf("%s: %d of %d changes were heap-only", c.what, hot-hotBefore, all-before)
			}
			return nil
		}))
	}
}

// changesOfSlots counts the changes on this connection, and those that wrote no index.
func changesOfSlots(t *testing.T, tx pgx.Tx) (all, hot int) {
	t.Helper()
	must(t, tx.QueryRow(t.Context(), `SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'slots'`).Scan(&all, &hot))
	return all, hot
}

// changeSlot writes a slot's next version, as the desk does.
func changeSlot(t *testing.T, tx pgx.Tx, slot uuid.UUID, version int64, seats, queue int32) {
	t.Helper()
	rows, err := db.New().SlotsLoad(t.Context(), tx, []uuid.UUID{slot})
	must(t, err)
	s := rows[0]
	must(t, db.New().SlotsUpdate(t.Context(), tx, db.SlotsUpdateParams{
		Ids: []uuid.UUID{slot}, Expected: []int64{s.Version}, Versions: []int64{version}, Revisions: []int64{s.Revision},
		SeatsTaken: []int32{seats}, WaitlistLength: []int32{queue}, WaitlistReady: []int32{queue},
		FreedVersions: []int64{version}, PromotionDueAt: []time.Time{{}}, Capacities: []int32{s.Capacity},
		Starts: []time.Time{s.StartsAt}, Ends: []time.Time{s.EndsAt}, Statuses: []string{s.Status}, CancelledAt: []time.Time{{}},
		Now: time.Now()}))
}
