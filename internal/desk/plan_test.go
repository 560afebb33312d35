package desk_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/testkit"
)

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
