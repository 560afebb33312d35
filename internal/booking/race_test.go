package booking_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

// rush lets all at once do something, with workers and a ticker running, and
// waits until everything that follows has happened.
func (h house) rush(t *testing.T, crowd []account.Caller, do func(i int, caller account.Caller)) {
	t.Helper()
	testkit.Work(t, h.pool, func(w *river.Workers) { waitlist.AddWorkers(w, h.desk) })
	ctx, stop := context.WithCancel(context.Background())
	var ticking, running sync.WaitGroup
	ticking.Go(func() {
		_ = waitlist.NewTicker(h.pool, h.desk, slog.New(slog.NewTextHandler(t.Output(), nil)), 10*time.Millisecond).Run(ctx)
	})
	for i, caller := range crowd {
		running.Go(func() { do(i, caller) })
	}
	running.Wait()
	testkit.Eventually(t, "all is done", func() bool {
		return h.count(t, `SELECT (SELECT count(*) FROM slots WHERE promotion_due_at IS NOT NULL)
			+ (SELECT count(*) FROM river.river_job WHERE state <> 'completed')`) == 0
	})
	stop()
	ticking.Wait()
}

func (h house) crowd(t *testing.T, n int) []account.Caller {
	t.Helper()
	crowd := make([]account.Caller, n)
	for i := range crowd {
		crowd[i] = h.attendee(t)
	}
	return crowd
}

// none fails the test if a query for what must not be finds anything.
func (h house) none(t *testing.T, what, sql string) {
	t.Helper()
	if n := h.count(t, "SELECT count(*) FROM ("+sql+") wrong"); n != 0 {
		t.Errorf("%s: %d", what, n)
	}
}

// balances recomputes counters and statuses from the bookings and the ledger.
func (h house) balances(t *testing.T) {
	t.Helper()
	h.none(t, "slots whose counters are not what their bookings say", `
		SELECT s.id FROM slots s LEFT JOIN bookings b ON b.slot_id = s.id
		GROUP BY s.id
		HAVING s.seats_taken <> coalesce(sum(b.seats) FILTER (WHERE b.status IN ('held', 'offered', 'confirmed')), 0)
			OR s.waitlist_length <> count(*) FILTER (WHERE b.status = 'waitlisted')
			OR s.waitlist_ready <> count(*) FILTER (WHERE b.status = 'waitlisted' AND b.blocked IS NULL)`)
	h.none(t, "ledgers with gaps", `
		SELECT s.id FROM slots s JOIN ledger l ON l.slot_id = s.id
		GROUP BY s.id HAVING count(*) <> s.version OR max(l.version) <> s.version`)
	h.none(t, "bookings that are not what their last entry says", `
		SELECT b.id FROM bookings b
		LEFT JOIN ledger l ON l.slot_id = b.slot_id AND l.version = b.version AND l.booking_id = b.id
		WHERE l.status IS DISTINCT FROM b.status
			OR EXISTS (SELECT FROM ledger n WHERE n.booking_id = b.id AND n.version > b.version)`)
	h.none(t, "entries whose counters do not follow from the entry before", `
		SELECT FROM (
			SELECT l.*,
				sum(CASE WHEN kind IN ('confirmed', 'promoted', 'offered') THEN seats
				         WHEN kind IN ('cancelled', 'expired') AND before IN ('held', 'offered', 'confirmed') THEN -seats
				         ELSE 0 END) OVER entries AS replayed_seats,
				sum(CASE WHEN kind = 'waitlisted' THEN 1
				         WHEN kind IN ('promoted', 'offered', 'cancelled', 'expired') AND before = 'waitlisted' THEN -1
				         ELSE 0 END) OVER entries AS replayed_length
			FROM (SELECT *, lag(status) OVER (PARTITION BY booking_id ORDER BY version) AS before FROM ledger) l
			WINDOW entries AS (PARTITION BY slot_id ORDER BY version)) r
		WHERE seats_taken <> replayed_seats OR waitlist_length <> replayed_length`)
	h.none(t, "heads of a queue that fit and still wait", `
		SELECT FROM slots s
		CROSS JOIN LATERAL (
			SELECT b.seats FROM bookings b
			WHERE b.slot_id = s.id AND b.status = 'waitlisted' AND b.blocked IS NULL
			ORDER BY b.queued_version LIMIT 1) head
		WHERE head.seats <= s.capacity - s.seats_taken`)
}

// Many book a few seats, and some cancel at once. Under the strict rule the order
// of the promotions is the order of the queue, and nobody gets seats past it.
func TestRushOnOneSlot(t *testing.T) {
	t.Parallel()
	h := open(t, testkit.MaxConns(20))
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(20))
	h.rush(t, h.crowd(t, 150), func(i int, caller account.Caller) {
		b, err := h.book(caller, slot.ID, 1+i%3)
		if err == nil && i%3 != 0 {
			_, err = h.cancel(caller, b.ID, "")
		}
		if err != nil {
			t.Error(err)
		}
	})
	h.balances(t)
	if n := h.count(t, "SELECT count(*) FROM bookings WHERE slot_id = $1", slot.ID); n != 150 {
		t.Errorf("%d bookings", n)
	}
	if n := h.count(t, "SELECT count(*) FROM ledger WHERE kind = 'promoted'"); n == 0 {
		t.Error("nobody was promoted, so this test shows nothing")
	}
	h.none(t, "promotions out of the queue's order", `
		SELECT FROM (
			SELECT b.queued_version, lag(b.queued_version) OVER (ORDER BY l.version) AS before
			FROM ledger l JOIN bookings b ON b.id = l.booking_id
			WHERE l.kind = 'promoted') p
		WHERE p.queued_version < p.before`)
	h.none(t, "newcomers with seats past the queue", `SELECT FROM ledger WHERE kind = 'confirmed' AND waitlist_length > 0`)
	h.none(t, "promotions without a cause that freed something", `
		SELECT FROM ledger p LEFT JOIN ledger c ON c.slot_id = p.cause_slot_id AND c.version = p.cause_version
		WHERE p.kind = 'promoted' AND c.kind IS DISTINCT FROM 'cancelled'`)
}

// Few attendees with many connections book slots that overlap, in any order, and
// give some back: nobody sits in two places, and nobody who is blocked keeps a
// seat from others.
func TestRushOnOverlappingSlots(t *testing.T) {
	t.Parallel()
	h := open(t, testkit.MaxConns(20))
	event := testkit.Event(t, h.pool, func(e *db.Event) { e.Fit = "first_fit" })
	var slots []uuid.UUID
	for i := range 12 { // each overlaps the next
		starts := 24*time.Hour + time.Duration(i)*time.Hour
		slots = append(slots, testkit.Slot(t, h.pool, event.ID, testkit.Capacity(3), testkit.Times(starts, starts+90*time.Minute)).ID)
	}
	people := h.crowd(t, 10)
	crowd := make([]account.Caller, 0, 12*len(people))
	for range slots {
		crowd = append(crowd, people...)
	}
	expected := []*fault.Code{fault.BookingOverlap, fault.AlreadyBooked}
	h.rush(t, crowd, func(i int, caller account.Caller) {
		b, err := h.book(caller, slots[(i*7)%len(slots)], 1+i%2)
		if err == nil && i%4 == 0 {
			_, err = h.cancel(caller, b.ID, "")
		}
		for _, code := range expected {
			if errors.Is(err, code) {
				return
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
	h.balances(t)
	h.none(t, "blocked bookings whose blocker is gone", `
		SELECT FROM bookings w JOIN bookings x ON x.id = w.blocked_by
		WHERE w.status = 'waitlisted' AND (x.status NOT IN ('held', 'offered', 'confirmed') OR NOT x.during && w.during)`)
	if n := h.count(t, "SELECT count(*) FROM bookings WHERE status = $1", string(seating.Confirmed)); n == 0 {
		t.Error("nobody got a seat")
	}
}
