package waitlist_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

// dueAtOnce are the shapes in which many holds may be due: in one slot, and one
// in each of many. For each of them somebody waits.
func dueAtOnce(n int) map[string]testkit.FullSlots {
	return map[string]testkit.FullSlots{
		"in one slot":   {Slots: 1, Seated: n, Waiting: n},
		"in many slots": {Slots: n, Seated: 1, Waiting: 1},
	}
}

// gather writes a crowd, no more than five hundred slots into an event.
func gather(t testing.TB, pool *pgxpool.Pool, c testkit.FullSlots) {
	t.Helper()
	for left := c.Slots; left > 0; left -= 500 {
		c.Slots = min(left, 500)
		testkit.InsertFullSlots(t, pool, testkit.Event(t, pool).ID, c)
	}
}

// waitingIn counts those who wait, in all slots.
func waitingIn(t testing.TB, pool *pgxpool.Pool) (n int) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), "SELECT sum(waitlist_length) FROM slots").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// What came due while no process ran is passed on by the next one that starts,
// all of it in its first tick, with no job needed.
func TestManyDueAtOnce(t *testing.T) {
	t.Parallel()
	const n = 1500
	for name, crowd := range dueAtOnce(n) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			crowd.Expires = time.Now().Add(-time.Minute)
			gather(t, h.pool, crowd)
			waitlist.NewTicker(h.pool, h.desk, slog.New(slog.NewTextHandler(t.Output(), nil)), 0).Tick(t.Context())
			if left := waitingIn(t, h.pool); left != 0 {
				t.Errorf("%d of %d still wait", left, n)
			}
			testkit.Sound(t, h.pool)
		})
	}
}

// BenchmarkDue is how long it takes from the due time until the last of ten
// thousand seats is somebody else's, with a ticker and workers that run already.
// Durability is the server's: name one with TEST_DATABASE_URL.
func BenchmarkDue(b *testing.B) {
	for name, crowd := range dueAtOnce(10_000) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				pool := testkit.DatabaseWith(b, testkit.MaxConns(24))
				crowd.Expires = time.Now().Add(12 * time.Second)
				gather(b, pool, crowd)
				if _, err := pool.Exec(b.Context(), "ANALYZE"); err != nil {
					b.Fatal(err)
				}
				desk := testkit.Desk(b, pool)
				testkit.Work(b, pool, func(w *river.Workers) { waitlist.AddWorkers(w, pool, desk) })
				ctx, stop := context.WithCancel(b.Context())
				ended := make(chan error)
				go func() { ended <- waitlist.NewTicker(pool, desk, slog.New(slog.DiscardHandler), 0).Run(ctx) }()
				<-time.After(time.Until(crowd.Expires))
				b.StartTimer()
				for waitingIn(b, pool) > 0 {
					time.Sleep(50 * time.Millisecond) // more looking would slow it down
				}
				b.StopTimer()
				stop()
				if err := <-ended; err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
