package waitlist_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

// dueAtOnce has two ways in which n holds may be due: all in one slot, or each in a
// slot of its own. For each seat somebody waits.
func dueAtOnce(n int) map[string]testkit.FullSlots {
	return map[string]testkit.FullSlots{
		"in one slot":   {Slots: 1, Seated: n, Waiting: n},
		"in many slots": {Slots: n, Seated: 1, Waiting: 1},
	}
}

// insert inserts full slots, at most five hundred into an event.
func insert(t testing.TB, pool *pgxpool.Pool, slots testkit.FullSlots) {
	t.Helper()
	for left := slots.Slots; left > 0; left -= 500 {
		slots.Slots = min(left, 500)
		testkit.InsertFullSlots(t, pool, testkit.Event(t, pool).ID, slots)
	}
}

// countWaiting counts the waiting bookings of all slots.
func countWaiting(t testing.TB, pool *pgxpool.Pool) (n int) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), "SELECT sum(waitlist_length) FROM slots").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// No job is needed for what came due while no process ran.
func TestFirstTickPromotesForAllHoldsThatAreDue(t *testing.T) {
	testkit.SkipIfShort(t, "it expires thousands of holds")
	t.Parallel()
	const n = 1500
	for name, slots := range dueAtOnce(n) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := open(t)
			slots.Expires = time.Now().Add(-time.Minute)
			insert(t, e.pool, slots)
			waitlist.NewTicker(e.pool, e.desk, slog.New(slog.NewTextHandler(t.Output(), nil)), 0).Tick(t.Context())
			if left := countWaiting(t, e.pool); left != 0 {
				t.Errorf("%d of %d still wait", left, n)
			}
			testkit.Sound(t, e.pool)
		})
	}
}

// BenchmarkDue measures the time until ten thousand holds that are due have expired
// and their seats are given to others, with a running ticker and workers. For a
// server that writes durably, set TEST_DATABASE_URL.
func BenchmarkDue(b *testing.B) {
	for name, slots := range dueAtOnce(10_000) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				pool := testkit.DatabaseWith(b, testkit.MaxConns(24))
				slots.Expires = time.Now().Add(12 * time.Second)
				insert(b, pool, slots)
				if _, err := pool.Exec(b.Context(), "ANALYZE"); err != nil {
					b.Fatal(err)
				}
				desk := testkit.Desk(b, pool)
				testkit.Work(b, pool, func(w *river.Workers) { waitlist.AddWorkers(w, pool, desk) })
				ctx, stop := context.WithCancel(b.Context())
				var ended sync.WaitGroup
				ended.Go(func() { waitlist.NewTicker(pool, desk, slog.New(slog.DiscardHandler), 0).Run(ctx) })
				<-time.After(time.Until(slots.Expires))
				b.StartTimer()
				for countWaiting(b, pool) > 0 {
					time.Sleep(50 * time.Millisecond) // counting more often would slow it down
				}
				b.StopTimer()
				stop()
				ended.Wait()
				b.StartTimer()
			}
		})
	}
}
