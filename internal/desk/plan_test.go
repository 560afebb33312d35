package desk_test

import (
	"context"
	"errors"
	"strings"
	"testing"

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
	_, err := conn.Exec(t.Context(), `SET enable_seqscan = off; SET enable_bitmapscan = off`)
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
			[]string{"Index Cond: (expires_at <= $", "Index Cond: (starts_at <= $"}},
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
