package booking_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/booking"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/view"
	"eventbooking/internal/waitlist"
)

// settle runs workers and a ticker until nothing is due and no job is left.
func (e env) settle(t *testing.T) {
	t.Helper()
	e.race(t, nil, nil)
}

// race lets all callers do something at the same time, with workers and a ticker
// running, and waits until nothing is due and no job is left.
func (e env) race(t *testing.T, callers []access.Caller, do func(i int, caller access.Caller)) {
	t.Helper()
	testkit.Work(t, e.pool, func(w *river.Workers) { waitlist.AddWorkers(w, e.pool, e.desk) })
	ctx, stop := context.WithCancel(context.Background())
	var ticking, running sync.WaitGroup
	ticking.Go(func() {
		waitlist.NewTicker(e.pool, e.desk, slog.New(slog.NewTextHandler(t.Output(), nil)), 10*time.Millisecond).Run(ctx)
	})
	for i, caller := range callers {
		running.Go(func() { do(i, caller) })
	}
	running.Wait()
	testkit.Eventually(t, "nothing is due and no job is left", func() bool {
		return e.count(t, `SELECT (SELECT count(*) FROM slots WHERE promotion_due_at IS NOT NULL)
			+ (SELECT count(*) FROM bookings WHERE status IN ('held', 'offered') AND expires_at <= now())
			+ (SELECT count(*) FROM river.river_job WHERE state <> 'completed')`) == 0
	})
	stop()
	ticking.Wait()
}

func (e env) attendees(t *testing.T, n int) []access.Caller {
	t.Helper()
	callers := make([]access.Caller, n)
	for i := range callers {
		callers[i] = e.attendee(t)
	}
	return callers
}

// wantNone fails the test if a query for what must not exist finds anything.
func (e env) wantNone(t *testing.T, what, sql string) {
	t.Helper()
	if n := e.count(t, "SELECT count(*) FROM ("+sql+") wrong"); n != 0 {
		t.Errorf("%s: %d", what, n)
	}
}

// tally counts outcomes.
type tally[K comparable] struct {
	mu sync.Mutex
	of map[K]int
}

func (c *tally[K]) add(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[K]int{}
	}
	c.of[k]++
}

// Many book few seats, and some cancel at once. Under strict, bookings are promoted
// in the order of the queue, and no newcomer gets seats before it.
func TestRushOnOneSlotKeepsTheOrderOfTheQueue(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	t.Parallel()
	e := open(t, testkit.MaxConns(20))
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(20))
	e.race(t, e.attendees(t, 150), func(i int, caller access.Caller) {
		b, err := e.book(caller, slot.ID, 1+i%3)
		if err == nil && i%3 != 0 {
			_, err = e.cancel(caller, b.ID, "")
		}
		if err != nil {
			t.Error(err)
		}
	})
	testkit.Sound(t, e.pool)
	if n := e.count(t, "SELECT count(*) FROM bookings WHERE slot_id = $1", slot.ID); n != 150 {
		t.Errorf("%d bookings", n)
	}
	if n := e.count(t, "SELECT count(*) FROM ledger WHERE kind = 'promoted'"); n == 0 {
		t.Error("nobody was promoted, so the test proves nothing")
	}
	e.wantNone(t, "promotions out of order", `
		SELECT FROM (
			SELECT b.queued_version, lag(b.queued_version) OVER (ORDER BY l.version) AS before
			FROM ledger l JOIN bookings b ON b.id = l.booking_id
			WHERE l.kind = 'promoted') p
		WHERE p.queued_version < p.before`)
	e.wantNone(t, "newcomers who got seats before the queue", `SELECT FROM ledger WHERE kind = 'confirmed' AND waitlist_length > 0`)
	e.wantNone(t, "promotions that no cancellation caused", `
		SELECT FROM ledger p LEFT JOIN ledger c ON c.slot_id = p.cause_slot_id AND c.version = p.cause_version
		WHERE p.kind = 'promoted' AND c.kind IS DISTINCT FROM 'cancelled'`)
}

// Few attendees book overlapping slots over many connections, and cancel some. Nobody
// has seats in two slots at once, and no blocked booking keeps seats from others.
func TestRushOnOverlappingSlotsLetsNobodyOverlap(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	t.Parallel()
	e := open(t, testkit.MaxConns(20))
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.Fit = "first_fit" })
	var slots []uuid.UUID
	for i := range 12 { // each overlaps the next
		starts := 24*time.Hour + time.Duration(i)*time.Hour
		slots = append(slots, testkit.Slot(t, e.pool, event.ID, testkit.Capacity(3), testkit.Times(starts, starts+90*time.Minute)).ID)
	}
	attendees := e.attendees(t, 10)
	callers := make([]access.Caller, 0, 12*len(attendees))
	for range slots {
		callers = append(callers, attendees...)
	}
	expected := []*fault.Code{fault.BookingOverlap, fault.AlreadyBooked}
	e.race(t, callers, func(i int, caller access.Caller) {
		b, err := e.book(caller, slots[(i*7)%len(slots)], 1+i%2)
		if err == nil && i%4 == 0 {
			_, err = e.cancel(caller, b.ID, "")
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
	testkit.Sound(t, e.pool)
	e.wantNone(t, "blocked bookings whose blocker has ended", `
		SELECT FROM bookings w JOIN bookings x ON x.id = w.blocked_by
		WHERE w.status = 'waitlisted' AND (x.status NOT IN ('held', 'offered', 'confirmed') OR NOT x.during && w.during)`)
	if n := e.count(t, "SELECT count(*) FROM bookings WHERE status = $1", string(seating.Confirmed)); n == 0 {
		t.Error("nobody got a seat")
	}
}

// Everybody in one of two slots moves to the other. If both are full, nobody can; with
// one free seat, all may move through it. Nobody loses their seat, or has two.
func TestCrossingMovesKeepEverybodysSeat(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	t.Parallel()
	const n = 30
	for _, free := range []int{0, 1} {
		t.Run(fmt.Sprintf("%d free", free), func(t *testing.T) {
			t.Parallel()
			e := open(t, testkit.MaxConns(20))
			event := testkit.Event(t, e.pool)
			slots := []uuid.UUID{
				testkit.Slot(t, e.pool, event.ID, testkit.Capacity(n+free)).ID,
				testkit.Slot(t, e.pool, event.ID, testkit.Capacity(n+free)).ID,
			}
			callers := e.attendees(t, 2*n)
			mine := make([]seating.Booking, 2*n)
			for i, caller := range callers {
				mine[i] = e.mustBook(t, caller, slots[i%2], 1)
			}
			var outcomes tally[string]
			e.race(t, callers, func(i int, caller access.Caller) {
				for move := range 4 {
					to := slots[(i+move+1)%2]
					if mine[i].SlotID == to {
						continue
					}
					b, err := e.move(caller, mine[i].ID, to)
					switch {
					case err == nil:
						outcomes.add("moved")
						mine[i] = b
					case errors.Is(err, fault.SlotFull):
						outcomes.add("full")
					default:
						t.Error(err)
					}
				}
			})
			testkit.Sound(t, e.pool)
			if moved := outcomes.of["moved"]; (moved > 0) != (free > 0) {
				t.Errorf("with %d free seats %d were moved", free, moved)
			}
			if live := e.count(t, "SELECT count(DISTINCT user_id) FROM bookings WHERE status = 'confirmed'"); live != 2*n {
				t.Errorf("%d of %d have seats", live, 2*n)
			}
			for i, b := range mine {
				if s := e.status(t, b.ID); s != seating.Confirmed {
					t.Errorf("booking %d is %s", i, s)
				}
			}
			if moves := e.count(t, "SELECT count(*) FROM bookings o JOIN bookings b ON b.moved_from = o.id AND b.user_id = o.user_id WHERE o.status = 'cancelled'"); moves != outcomes.of["moved"] {
				t.Errorf("%d moves are linked, %d were made", moves, outcomes.of["moved"])
			}
		})
	}
}

// Many resize one booking at the same time, without If-Match. Each succeeds, or is
// told to try again.
func TestConcurrentResizesSucceedOrAreContention(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	t.Parallel()
	e := open(t, testkit.MaxConns(20))
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(20))
	owner := e.attendee(t)
	b := e.mustBook(t, owner, slot.ID, 1)
	var outcomes tally[bool]
	e.race(t, make([]access.Caller, 40), func(i int, _ access.Caller) {
		seats := 1 + i%20
		_, err := e.service.Resize(context.Background(), owner, b.ID, view.AnyState, booking.Patch{Seats: &seats})
		outcomes.add(err == nil)
		if err != nil && !errors.Is(err, fault.Contention) {
			t.Error(err)
		}
	})
	testkit.Sound(t, e.pool)
	if outcomes.of[true] == 0 {
		t.Error("no resize succeeded")
	}
}

// Ten attendees have a seat in one slot each, and wait to upgrade to the slot before.
// When the seat in the first slot is cancelled, all of them are upgraded, while others
// behind them leave the queues. The chain can be read from both ends.
func TestOneCancellationUpgradesAWholeChain(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	t.Parallel()
	e := open(t, testkit.MaxConns(20))
	const n, behind = 10, 5
	event := testkit.Event(t, e.pool)
	var slots []uuid.UUID
	for i := range n + 1 {
		slots = append(slots, testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1), hours(10+2*i)).ID)
	}
	first := e.attendee(t)
	start := e.mustBook(t, first, slots[0], 1)
	attendees := e.attendees(t, n)
	var olds, upgrades []seating.Booking
	for i, caller := range attendees {
		olds = append(olds, e.mustBook(t, caller, slots[i+1], 1))
	}
	for i, caller := range attendees {
		upgrade, err := e.upgrade(caller, slots[i], olds[i].ID)
		if err != nil || upgrade.Status != seating.Waitlisted {
			t.Fatalf("upgrade is %s, %v", upgrade.Status, err)
		}
		upgrades = append(upgrades, upgrade)
	}
	callers, cancelled := []access.Caller{first}, []seating.Booking{start}
	for _, slotID := range slots[:n] {
		for _, caller := range e.attendees(t, behind) {
			callers, cancelled = append(callers, caller), append(cancelled, e.mustBook(t, caller, slotID, 1))
		}
	}
	e.race(t, callers, func(i int, caller access.Caller) {
		if _, err := e.cancel(caller, cancelled[i].ID, ""); err != nil {
			t.Error(err)
		}
	})
	testkit.Sound(t, e.pool)
	for i := range upgrades {
		if now, old := e.status(t, upgrades[i].ID), e.status(t, olds[i].ID); now != seating.Confirmed || old != seating.Cancelled {
			t.Errorf("upgrade %d is %s, the booking that it replaces is %s", i, now, old)
		}
	}
	organizer := organizerOf(event)
	down, err := e.service.Chain(t.Context(), organizer, start.ID)
	if err != nil {
		t.Fatal(err)
	}
	up, err := e.service.Chain(t.Context(), organizer, olds[n-1].ID)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		promoted := func(l booking.Link) bool { return l.Entry.Kind == "promoted" && *l.Entry.BookingID == upgrades[i].ID }
		if !slices.ContainsFunc(down.Consequences, func(l booking.Link) bool { return promoted(l) && l.Depth == 2*i+1 }) {
			t.Errorf("link %d is not among the consequences of the first cancellation", i)
		}
		if !slices.ContainsFunc(up.Causes, func(l booking.Link) bool { return promoted(l) && l.Depth == 2*(n-i)-1 }) {
			t.Errorf("link %d is not among the causes of the last", i)
		}
	}
}
