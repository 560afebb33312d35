package waitlist_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"eventbooking/gen/db"
	"eventbooking/internal/desk"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

func (e env) work(t *testing.T) {
	t.Helper()
	testkit.Work(t, e.pool, func(w *river.Workers) { waitlist.AddWorkers(w, e.pool, e.desk) })
}

func TestCancellationPromotesTheNext(t *testing.T) {
	t.Parallel()
	e := open(t)
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(1))
	first := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	next := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	last := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	e.work(t)

	e.cancel(t, first)
	testkit.Eventually(t, "the next is confirmed", func() bool { return e.status(t, next) == "confirmed" })
	if status := e.status(t, last); status != "waitlisted" {
		t.Errorf("the last is %s", status)
	}
	// The promotion names the cancellation as its cause.
	var kind string
	err := e.pool.QueryRow(t.Context(), `
		SELECT c.kind FROM ledger p JOIN ledger c ON c.slot_id = p.cause_slot_id AND c.version = p.cause_version
		WHERE p.booking_id = $1 AND p.kind = 'promoted' AND c.booking_id = $2`, next.ID, first.ID).Scan(&kind)
	if err != nil || kind != "cancelled" {
		t.Errorf("cause %q, %v", kind, err)
	}
}

func TestJobsPromoteALongQueue(t *testing.T) {
	testkit.SkipIfShort(t, "it makes 150 bookings")
	t.Parallel()
	e := open(t)
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(150))
	all := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 150)
	for range 150 {
		testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	}
	e.work(t)
	e.cancel(t, all) // more than one page of promotions
	testkit.Eventually(t, "everybody is confirmed", func() bool {
		var waiting int
		if err := e.pool.QueryRow(t.Context(), "SELECT waitlist_length FROM slots WHERE id = $1", slot.ID).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		return waiting == 0
	})
}

func TestBookingsOfACancelledSlotAreCancelled(t *testing.T) {
	t.Parallel()
	e := open(t)
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(1))
	bookings := []seating.Booking{
		testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1),
		testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1),
	}
	e.work(t)
	cancelled := seating.SlotCancelled
	if _, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.EditSlot{SlotID: slot.ID, Status: &cancelled, By: seating.System("")}}); err != nil {
		t.Fatal(err)
	}
	for _, b := range bookings {
		testkit.Eventually(t, "it is cancelled", func() bool { return e.status(t, b) == "cancelled" })
	}
}

func TestJobsOfADeletedSlotComplete(t *testing.T) {
	t.Parallel()
	e := open(t)
	e.work(t)
	e.exec(t, `INSERT INTO river.river_job (kind, args, max_attempts) VALUES
		('promote', jsonb_build_object('slot_id', $1::text), 1), ('clear', jsonb_build_object('slot_id', $1::text), 1)`, uuid.NewString())
	testkit.Eventually(t, "both jobs are completed", func() bool {
		var n int
		if err := e.pool.QueryRow(t.Context(), "SELECT count(*) FROM river.river_job WHERE state = 'completed'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 2
	})
}

func TestRetriesDoubleUpToTenSeconds(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 5: 1600 * time.Millisecond,
		8: 10 * time.Second, 25: 10 * time.Second, 1000: 10 * time.Second} {
		before := time.Now()
		at := waitlist.RetryAt(attempt)
		if at.Before(before.Add(want)) || at.After(time.Now().Add(want)) {
			t.Errorf("attempt %d: retry in %s, want %s", attempt, at.Sub(before), want)
		}
	}
}

// No job runs in this test.
func TestTickerFindsWhatIsDueWithoutJobs(t *testing.T) {
	t.Parallel()
	e := open(t)
	ticker := waitlist.NewTicker(e.pool, e.desk, slog.New(slog.NewTextHandler(t.Output(), nil)), 0)

	t.Run("promotes where a promotion is due", func(t *testing.T) {
		slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(1))
		first := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		next := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		e.cancel(t, first)
		ticker.Tick(t.Context())
		if status := e.status(t, next); status != "confirmed" {
			t.Errorf("the next is %s", status)
		}
	})
	t.Run("expires offers, and offers the seats to the next", func(t *testing.T) {
		event := testkit.Event(t, e.pool, func(event *db.Event) { event.WaitlistMode = "offer" })
		slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1))
		first := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		offered := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		next := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		e.cancel(t, first)
		ticker.Tick(t.Context())
		e.exec(t, "UPDATE bookings SET expires_at = clock_timestamp() WHERE id = $1 AND status = 'offered'", offered.ID)
		ticker.Tick(t.Context())
		if a, b := e.status(t, offered), e.status(t, next); a != "expired" || b != "offered" {
			t.Errorf("%s, %s", a, b)
		}
	})
	t.Run("expires all waiting bookings when the slot starts", func(t *testing.T) {
		slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(1))
		testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		n := 210
		if testing.Short() {
			n = 5
		}
		for range n {
			testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		}
		e.exec(t, "UPDATE slots SET starts_at = clock_timestamp() WHERE id = $1", slot.ID)
		ticker.Tick(t.Context())
		var waiting int
		if err := e.pool.QueryRow(t.Context(), "SELECT count(*) FROM bookings WHERE slot_id = $1 AND status = 'waitlisted'", slot.ID).Scan(&waiting); err != nil || waiting != 0 {
			t.Errorf("%d still wait, %v", waiting, err)
		}
	})
	t.Run("unblocks when the blocker was cancelled", func(t *testing.T) {
		event, busy := testkit.Event(t, e.pool), e.attendee(t)
		slot, elsewhere := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1)), testkit.Slot(t, e.pool, event.ID)
		first := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		waiting := testkit.Book(t, e.desk, slot.ID, busy.UserID, 1)
		blocker := testkit.Book(t, e.desk, elsewhere.ID, busy.UserID, 1)
		e.cancel(t, first)
		ticker.Tick(t.Context()) // blocks
		e.cancel(t, blocker)
		ticker.Tick(t.Context())
		if status := e.status(t, waiting); status != "confirmed" {
			t.Errorf("the blocked booking is %s", status)
		}
	})
	t.Run("cancels the bookings of cancelled slots", func(t *testing.T) {
		event := testkit.Event(t, e.pool)
		slot := testkit.Slot(t, e.pool, event.ID)
		b := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		e.exec(t, "UPDATE events SET status = 'cancelled', cancelled_at = now() WHERE id = $1", event.ID)
		ticker.Tick(t.Context())
		if status := e.status(t, b); status != "cancelled" {
			t.Errorf("the booking is %s", status)
		}
	})
	t.Run("deletes old idempotency keys", func(t *testing.T) {
		e.exec(t, `INSERT INTO idempotency_keys (user_id, key, fingerprint, status, header, body, created_at)
			VALUES ($1, 'old', $2, 200, '{}', '', $3)`, e.attendee(t).UserID, make([]byte, 32), time.Now().Add(-idempotency.Retention-time.Hour))
		ticker.Tick(t.Context())
		var n int
		if err := e.pool.QueryRow(t.Context(), "SELECT count(*) FROM idempotency_keys").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d keys, %v", n, err)
		}
	})
}

func TestTickerRunsUntilItIsStopped(t *testing.T) {
	t.Parallel()
	e := open(t)
	ctx, stop := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() {
		waitlist.NewTicker(e.pool, e.desk, slog.New(slog.DiscardHandler), time.Millisecond).Run(ctx)
	})

	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(1))
	first := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	next := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
	e.cancel(t, first)
	testkit.Eventually(t, "the next is confirmed", func() bool { return e.status(t, next) == "confirmed" })
	stop()
	ended.Wait()
}

// A database that is down for a minute makes two log lines, not 120.
func TestTickerLogsOnlyWhenATaskBeginsOrStopsFailing(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	down := errors.New("no connection")
	failing := true
	ticker := waitlist.TickerOf(slog.New(slog.NewTextHandler(&lines, nil)), func(context.Context) (bool, error) {
		if failing {
			return false, down
		}
		return false, nil
	})
	for range 3 {
		ticker.Tick(t.Context())
	}
	failing = false
	for range 3 {
		ticker.Tick(t.Context())
	}
	if got := lines.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "no connection") || !strings.Contains(got, "works again") {
		t.Errorf("logged:\n%s", got)
	}
}

func TestTickEndsEvenIfMoreIsAlwaysDue(t *testing.T) {
	t.Parallel()
	polls := 0
	ticker := waitlist.TickerOf(slog.New(slog.DiscardHandler), func(context.Context) (bool, error) {
		polls++
		return true, nil
	})
	ticker.Tick(t.Context())
	if polls < 2 || polls > 100 {
		t.Errorf("%d polls", polls)
	}
}

// A task that hangs, as on a database that answers slowly, keeps no other from its turn.
func TestSlowTaskDelaysNoOther(t *testing.T) {
	t.Parallel()
	polled := make(chan struct{})
	hang := func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, ctx.Err() }
	count := func(ctx context.Context) (bool, error) {
		select {
		case polled <- struct{}{}:
		case <-ctx.Done():
		}
		return false, nil
	}
	ctx, stop := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { waitlist.TickerOf(slog.New(slog.DiscardHandler), hang, count, hang).Run(ctx) })
	for range 3 {
		select {
		case <-polled:
		case <-time.After(20 * time.Second): // less than a task may take
			t.Fatal("the other task has no turn")
		}
	}
	stop()
	ended.Wait()
}

// A job looks for upgrades where its promotion may come to, not in all of a long queue.
func TestJobPeeksAtWhatAPromotionReads(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	testkit.InsertFullSlots(t, e.pool, event.ID, testkit.FullSlots{Slots: 1, Seated: 1, Waiting: seating.HeadsPage + 1})
	elsewhere := testkit.Slot(t, e.pool, event.ID)
	kept := testkit.Book(t, e.desk, elsewhere.ID, e.attendee(t).UserID, 1)
	for place, want := range map[int]int{seating.HeadsPage: 1, seating.HeadsPage + 1: 0} {
		e.exec(t, `UPDATE bookings SET replaces_booking_id = CASE WHEN queued_version = $1 THEN $2::uuid END WHERE status = 'waitlisted'`, 2+place, kept.ID)
		var slot uuid.UUID
		if err := e.pool.QueryRow(t.Context(), `SELECT id FROM slots WHERE waitlist_length > 0`).Scan(&slot); err != nil {
			t.Fatal(err)
		}
		found, err := db.New().SlotsGivenBack(t.Context(), e.pool, db.SlotsGivenBackParams{SlotID: slot, Heads: seating.HeadsPage, Page: 5, Hops: 1})
		if err != nil || len(found) != want {
			t.Errorf("at place %d: %v, %v; want %d", place, found, err, want)
		}
	}
}
