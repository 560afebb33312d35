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
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/view"
	"eventbooking/internal/waitlist"
)

// settle runs workers and a ticker, until the test ends, and waits until
// everything that is due or follows has happened.
func (h env) settle(t *testing.T) {
	t.Helper()
	h.rush(t, nil, nil)
}

// rush lets all at once do something, with workers and a ticker running, and
// waits until everything that follows has happened.
func (h env) rush(t *testing.T, crowd []access.Caller, do func(i int, caller access.Caller)) {
	t.Helper()
	testkit.Work(t, h.pool, func(w *river.Workers) { waitlist.AddWorkers(w, h.pool, h.desk) })
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
			+ (SELECT count(*) FROM bookings WHERE status IN ('held', 'offered') AND expires_at <= now())
			+ (SELECT count(*) FROM river.river_job WHERE state <> 'completed')`) == 0
	})
	stop()
	ticking.Wait()
}

func (h env) crowd(t *testing.T, n int) []access.Caller {
	t.Helper()
	crowd := make([]access.Caller, n)
	for i := range crowd {
		crowd[i] = h.attendee(t)
	}
	return crowd
}

// none fails the test if a query for what must not be finds anything.
func (h env) none(t *testing.T, what, sql string) {
	t.Helper()
	if n := h.count(t, "SELECT count(*) FROM ("+sql+") wrong"); n != 0 {
		t.Errorf("%s: %d", what, n)
	}
}

// tally counts how a race went.
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

// Many book a few seats, and some cancel at once. Under the strict rule the order
// of the promotions is the order of the queue, and nobody gets seats past it.
func TestRushOnOneSlot(t *testing.T) {
	t.Parallel()
	h := open(t, testkit.MaxConns(20))
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(20))
	h.rush(t, h.crowd(t, 150), func(i int, caller access.Caller) {
		b, err := h.book(caller, slot.ID, 1+i%3)
		if err == nil && i%3 != 0 {
			_, err = h.cancel(caller, b.ID, "")
		}
		if err != nil {
			t.Error(err)
		}
	})
	testkit.Sound(t, h.pool)
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
	crowd := make([]access.Caller, 0, 12*len(people))
	for range slots {
		crowd = append(crowd, people...)
	}
	expected := []*fault.Code{fault.BookingOverlap, fault.AlreadyBooked}
	h.rush(t, crowd, func(i int, caller access.Caller) {
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
	testkit.Sound(t, h.pool)
	h.none(t, "blocked bookings whose blocker is gone", `
		SELECT FROM bookings w JOIN bookings x ON x.id = w.blocked_by
		WHERE w.status = 'waitlisted' AND (x.status NOT IN ('held', 'offered', 'confirmed') OR NOT x.during && w.during)`)
	if n := h.count(t, "SELECT count(*) FROM bookings WHERE status = $1", string(seating.Confirmed)); n == 0 {
		t.Error("nobody got a seat")
	}
}

// Holds run out while they are confirmed: each is either confirmed or expired,
// as its caller was told, and every seat that came back went to somebody who
// waits. Every fourth was due before, and every fourth is not due at all.
func TestRaceHoldExpiryAgainstConfirm(t *testing.T) {
	t.Parallel()
	h := open(t, testkit.MaxConns(20))
	const n = 60
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(n))
	holders := h.crowd(t, n)
	var holds [n]seating.Booking
	for i, caller := range holders {
		holds[i] = h.mustHold(t, caller, slot.ID, 1)
	}
	for _, caller := range h.crowd(t, n) {
		h.mustBook(t, caller, slot.ID, 1)
	}
	for i := 0; i < n; i += 4 {
		h.expire(t, holds[i].ID)
	}
	var told [n]error
	h.rush(t, slices.Concat(holders, holders), func(i int, caller access.Caller) {
		switch {
		case i < n:
			_, told[i] = h.confirm(caller, holds[i].ID)
		case i%4 != 1:
			h.expire(t, holds[i-n].ID)
		}
	})
	testkit.Sound(t, h.pool)
	for i, err := range told {
		want := seating.Confirmed
		if err != nil {
			wants(t, err, fault.HoldExpired)
			want = seating.Expired
		}
		if got := h.status(t, holds[i].ID); got != want {
			t.Errorf("hold %d is %s, its caller was told %v", i, got, err)
		}
		if i%4 == 0 && err == nil || i%4 == 1 && err != nil {
			t.Errorf("hold %d: %v", i, err)
		}
	}
	if taken := h.count(t, "SELECT seats_taken FROM slots"); taken != n {
		t.Errorf("%d of %d seats are taken, while others wait", taken, n)
	}
}

// offering is a slot whose seats are all offered to a crowd, behind which others wait.
func (h env) offering(t *testing.T, n, more int) (seating.Slot, []seating.Booking) {
	t.Helper()
	event := testkit.Event(t, h.pool, func(e *db.Event) { e.WaitlistMode = string(seating.WaitlistOffer) })
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(n))
	first := h.attendee(t)
	all := h.mustBook(t, first, slot.ID, n)
	var offers []seating.Booking
	for i, caller := range h.crowd(t, n+more) {
		if b := h.mustBook(t, caller, slot.ID, 1); i < n {
			offers = append(offers, b)
		}
	}
	if _, err := h.cancel(first, all.ID, ""); err != nil {
		t.Fatal(err)
	}
	h.promote(t, slot.ID)
	for _, b := range offers {
		if s := h.status(t, b.ID); s != seating.Offered {
			t.Fatalf("an offer is %s", s)
		}
	}
	return slot, offers
}

func owners(bookings []seating.Booking) (crowd []access.Caller) {
	for _, b := range bookings {
		crowd = append(crowd, testkit.Caller(b.UserID, access.Attendee))
	}
	return crowd
}

// accept and decline are what attendees say to offers.
func (h env) accept(b seating.Booking) error {
	_, err := h.desk.Do(context.Background(), desk.Submission{Command: seating.Confirm{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: seating.Offered, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}}})
	return err
}

func (h env) decline(b seating.Booking) error {
	_, err := h.desk.Do(context.Background(), desk.Submission{Command: seating.Decline{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}}})
	return err
}

// Offers run out while they are accepted or declined: each comes to the end that
// its caller was told, nobody is offered seats twice, and what was not accepted
// is offered to the next.
func TestRaceOfferExpiryAgainstAccept(t *testing.T) {
	t.Parallel()
	h := open(t, testkit.MaxConns(20))
	const n = 60
	slot, offers := h.offering(t, n, n)
	var told [n]error
	crowd := owners(offers)
	h.rush(t, slices.Concat(crowd, crowd), func(i int, _ access.Caller) {
		switch {
		case i >= n:
			h.expire(t, offers[i-n].ID)
		case i%3 == 0:
			told[i] = h.decline(offers[i])
		default:
			told[i] = h.accept(offers[i])
		}
	})
	testkit.Sound(t, h.pool)
	lost := 0
	for i, err := range told {
		want := seating.Confirmed
		switch {
		case err != nil:
			wants(t, err, fault.OfferExpired)
			want = seating.Expired
		case i%3 == 0:
			want = seating.Cancelled
		}
		got := h.status(t, offers[i].ID)
		if got != want {
			t.Errorf("offer %d is %s, its caller was told %v", i, got, err)
		}
		if got != seating.Confirmed {
			lost++
		}
	}
	if again := h.count(t, "SELECT count(*) FROM bookings WHERE status = 'offered'"); again != lost {
		t.Errorf("%d seats came back, %d are offered to the next", lost, again)
	}
	if taken := h.count(t, "SELECT seats_taken FROM slots WHERE id = $1", slot.ID); taken != n {
		t.Errorf("%d of %d seats are taken, while others wait", taken, n)
	}
	h.none(t, "bookings that were offered seats twice", "SELECT FROM ledger WHERE kind = 'offered' GROUP BY booking_id HAVING count(*) > 1")
}

// Offers are declined while the capacity rises, and while some are accepted:
// every seat, old or new, is taken or offered in the end.
func TestRaceDeclineAgainstCapacityRaise(t *testing.T) {
	t.Parallel()
	h := open(t, testkit.MaxConns(20))
	const n, raises = 40, 20
	slot, offers := h.offering(t, n, 3*n)
	crowd := owners(offers)
	h.rush(t, append(crowd, crowd[:raises]...), func(i int, _ access.Caller) {
		var err error
		switch {
		case i >= n:
			capacity := 2*n + i // those that come too late to raise it are refused
			_, err = h.desk.Do(context.Background(), desk.Submission{Command: seating.EditSlot{
				SlotID: slot.ID, Capacity: &capacity, By: seating.Actor{Role: seating.ActorOrganizer, ID: slot.OrganizerID}}})
			if errors.Is(err, fault.CapacityBelowTaken) {
				err = nil
			}
		case i%2 == 0:
			err = h.accept(offers[i])
		default:
			err = h.decline(offers[i])
		}
		if err != nil {
			t.Error(err)
		}
	})
	testkit.Sound(t, h.pool)
	h.none(t, "slots with seats that nobody was offered", "SELECT FROM slots WHERE seats_taken < capacity AND waitlist_ready > 0")
	for i, b := range offers {
		want := []seating.Status{seating.Confirmed, seating.Cancelled}[i%2]
		if got := h.status(t, b.ID); got != want {
			t.Errorf("offer %d is %s, want %s", i, got, want)
		}
	}
}

// Everybody in two slots at the same time wants to be in the other one. While
// both are full, nobody gets anywhere; with one free seat, they may all pass
// through it. Nobody loses a seat, or has two.
func TestRaceMovesThatCross(t *testing.T) {
	t.Parallel()
	const n = 30
	for _, free := range []int{0, 1} {
		t.Run(fmt.Sprintf("%d free", free), func(t *testing.T) {
			t.Parallel()
			h := open(t, testkit.MaxConns(20))
			event := testkit.Event(t, h.pool)
			slots := []uuid.UUID{
				testkit.Slot(t, h.pool, event.ID, testkit.Capacity(n+free)).ID,
				testkit.Slot(t, h.pool, event.ID, testkit.Capacity(n+free)).ID,
			}
			crowd := h.crowd(t, 2*n)
			mine := make([]seating.Booking, 2*n)
			for i, caller := range crowd {
				mine[i] = h.mustBook(t, caller, slots[i%2], 1)
			}
			var went tally[string]
			h.rush(t, crowd, func(i int, caller access.Caller) {
				for hop := range 4 { // there, back, and once more
					to := slots[(i+hop+1)%2]
					if mine[i].SlotID == to {
						continue
					}
					b, err := h.move(caller, mine[i].ID, to)
					switch {
					case err == nil:
						went.add("moved")
						mine[i] = b
					case errors.Is(err, fault.SlotFull):
						went.add("full")
					default:
						t.Error(err)
					}
				}
			})
			testkit.Sound(t, h.pool)
			if moved := went.of["moved"]; (moved > 0) != (free > 0) {
				t.Errorf("with %d free seats %d were moved", free, moved)
			}
			if live := h.count(t, "SELECT count(DISTINCT user_id) FROM bookings WHERE status = 'confirmed'"); live != 2*n {
				t.Errorf("%d of %d have seats", live, 2*n)
			}
			for i, b := range mine {
				if s := h.status(t, b.ID); s != seating.Confirmed {
					t.Errorf("booking %d is %s", i, s)
				}
			}
			if moves := h.count(t, "SELECT count(*) FROM bookings o JOIN bookings b ON b.moved_from = o.id AND b.user_id = o.user_id WHERE o.status = 'cancelled'"); moves != went.of["moved"] {
				t.Errorf("%d moves are linked, %d were made", moves, went.of["moved"])
			}
		})
	}
}

// One booking is resized by many at once, who name no state: each of them meets
// some state, or is told to come again.
func TestRaceResize(t *testing.T) {
	t.Parallel()
	h := open(t, testkit.MaxConns(20))
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(20))
	owner := h.attendee(t)
	b := h.mustBook(t, owner, slot.ID, 1)
	var went tally[bool]
	h.rush(t, make([]access.Caller, 40), func(i int, _ access.Caller) {
		seats := 1 + i%20
		_, err := h.service.Resize(context.Background(), owner, b.ID, view.AnyState, booking.Patch{Seats: &seats})
		went.add(err == nil)
		if err != nil && !errors.Is(err, fault.Contention) {
			t.Error(err)
		}
	})
	testkit.Sound(t, h.pool)
	if went.of[true] == 0 {
		t.Error("nobody could resize it")
	}
}

// Ten people sit one slot behind the one that they would rather have, and wait
// for it: when somebody leaves the first slot, all move up, while those who wait
// behind them leave. The ten links can be read from either end.
func TestRaceChainOfUpgrades(t *testing.T) {
	t.Parallel()
	h := open(t, testkit.MaxConns(20))
	const n, behind = 10, 5
	event := testkit.Event(t, h.pool)
	var slots []uuid.UUID
	for i := range n + 1 {
		slots = append(slots, testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1), hours(10+2*i)).ID)
	}
	first := h.attendee(t)
	start := h.mustBook(t, first, slots[0], 1)
	climbers := h.crowd(t, n)
	var olds, wishes []seating.Booking
	for i, caller := range climbers {
		olds = append(olds, h.mustBook(t, caller, slots[i+1], 1))
	}
	for i, caller := range climbers {
		wish, err := h.upgrade(caller, slots[i], olds[i].ID)
		if err != nil || wish.Status != seating.Waitlisted {
			t.Fatalf("wish is %s, %v", wish.Status, err)
		}
		wishes = append(wishes, wish)
	}
	crowd, leaving := []access.Caller{first}, []seating.Booking{start}
	for _, slotID := range slots[:n] {
		for _, caller := range h.crowd(t, behind) {
			crowd, leaving = append(crowd, caller), append(leaving, h.mustBook(t, caller, slotID, 1))
		}
	}
	h.rush(t, crowd, func(i int, caller access.Caller) {
		if _, err := h.cancel(caller, leaving[i].ID, ""); err != nil {
			t.Error(err)
		}
	})
	testkit.Sound(t, h.pool)
	for i := range wishes {
		if now, old := h.status(t, wishes[i].ID), h.status(t, olds[i].ID); now != seating.Confirmed || old != seating.Cancelled {
			t.Errorf("wish %d is %s, what it replaces is %s", i, now, old)
		}
	}
	organizer := organizerOf(event)
	down, err := h.service.Chain(t.Context(), organizer, start.ID)
	if err != nil {
		t.Fatal(err)
	}
	up, err := h.service.Chain(t.Context(), organizer, olds[n-1].ID)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		promoted := func(l booking.Link) bool { return l.Entry.Kind == "promoted" && *l.Entry.BookingID == wishes[i].ID }
		if !slices.ContainsFunc(down.Consequences, func(l booking.Link) bool { return promoted(l) && l.Depth == 2*i+1 }) {
			t.Errorf("link %d is not among the consequences of the first cancellation", i)
		}
		if !slices.ContainsFunc(up.Causes, func(l booking.Link) bool { return promoted(l) && l.Depth == 2*(n-i)-1 }) {
			t.Errorf("link %d is not among the causes of the last", i)
		}
	}
}
