package waitlist_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"eventbooking/gen/db"
	"eventbooking/internal/desk"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

// Each of these was left to a job; none runs here.
func TestTickerDoesWhatLostJobsLeftUndone(t *testing.T) {
	t.Parallel()
	e := open(t)
	ticker := waitlist.NewTicker(e.pool, e.desk, slog.New(slog.NewTextHandler(t.Output(), nil)), 0)

	for _, fit := range []string{"strict", "first_fit"} {
		t.Run("blocks who got seats elsewhere and stops the queue, "+fit, func(t *testing.T) {
			event := testkit.Event(t, e.pool, func(event *db.Event) { event.Fit, event.MaxPasses = fit, 0 })
			slot, elsewhere := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(3)), testkit.Slot(t, e.pool, event.ID)
			busy := e.attendee(t)
			testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 2)
			head := testkit.Book(t, e.desk, slot.ID, busy.UserID, 3)
			next := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
			testkit.Book(t, e.desk, elsewhere.ID, busy.UserID, 1)
			ticker.Tick(t.Context())
			if a, b := e.status(t, head), e.status(t, next); a != "waitlisted" || b != "confirmed" {
				t.Errorf("the head is %s, the next %s", a, b)
			}
		})
	}
	t.Run("does not look at the head for ever that waits for its upgrade", func(t *testing.T) {
		event := testkit.Event(t, e.pool)
		slot, elsewhere := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(3)), testkit.Slot(t, e.pool, event.ID)
		testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 2)
		kept := testkit.Book(t, e.desk, elsewhere.ID, e.attendee(t).UserID, 1)
		e.upgrade(t, kept, slot.ID, 3)
		found, err := db.New().SlotsHeldUp(t.Context(), e.pool, db.SlotsHeldUpParams{Resting: []uuid.UUID{}, Page: 10})
		if err != nil || len(found) != 0 {
			t.Errorf("%v, %v", found, err)
		}
	})
	t.Run("unblocks whose booking can be given back again", func(t *testing.T) {
		event := testkit.Event(t, e.pool)
		slot, elsewhere := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1)), testkit.Slot(t, e.pool, event.ID)
		seated := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		kept := testkit.Book(t, e.desk, elsewhere.ID, e.attendee(t).UserID, 1)
		upgrade := e.upgrade(t, kept, slot.ID, 1)
		e.checkIn(t, event, kept, false)
		e.cancel(t, seated)
		ticker.Tick(t.Context())
		if p := e.position(t, upgrade); !p.Blocked || p.BlockedBy.MustGet() != kept.ID {
			t.Fatalf("it is told %+v", p)
		}
		e.checkIn(t, event, kept, true)
		ticker.Tick(t.Context()) // unblocks it, and requests a promotion that locks both slots
		e.work(t)
		testkit.Eventually(t, "it is served", func() bool { return e.status(t, upgrade) == "confirmed" })
		if got := e.status(t, kept); got != "cancelled" {
			t.Errorf("the booking that it replaces is %s", got)
		}
	})
	t.Run("unblocks whom the capacity suffices for", func(t *testing.T) {
		slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(2))
		first := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		large := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 2)
		e.exec(t, "UPDATE slots SET capacity = 1, waitlist_ready = 0 WHERE id = $1", slot.ID)
		e.exec(t, "UPDATE bookings SET blocked = 'capacity' WHERE id = $1", large.ID)
		e.exec(t, "UPDATE slots SET capacity = 3, freed_version = 1 WHERE id = $1", slot.ID)
		ticker.Tick(t.Context())
		if a, b := e.status(t, first), e.status(t, large); a != "confirmed" || b != "confirmed" {
			t.Errorf("%s, %s", a, b)
		}
	})
	t.Run("cancels a slot without bookings with its event", func(t *testing.T) {
		event := testkit.Event(t, e.pool)
		slot := testkit.Slot(t, e.pool, event.ID)
		e.exec(t, "UPDATE events SET status = 'cancelled', cancelled_at = now() WHERE id = $1", event.ID)
		ticker.Tick(t.Context())
		var status string
		if err := e.pool.QueryRow(t.Context(), "SELECT status FROM slots WHERE id = $1", slot.ID).Scan(&status); err != nil || status != "cancelled" {
			t.Errorf("the slot is %s, %v", status, err)
		}
	})
	t.Run("looks once at what was cancelled, however much it is", func(t *testing.T) {
		event := testkit.Event(t, e.pool)
		const n = 7
		for i := range n {
			slot := testkit.Slot(t, e.pool, event.ID, testkit.Times(time.Duration(24+3*i)*time.Hour, time.Duration(25+3*i)*time.Hour))
			testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		}
		e.exec(t, "UPDATE events SET status = 'cancelled', cancelled_at = now() WHERE id = $1", event.ID)
		ticker.Paged(2).Tick(t.Context())
		var cancelled int
		if err := e.pool.QueryRow(t.Context(), `SELECT count(*) FROM bookings b JOIN slots s ON s.id = b.slot_id
			WHERE s.event_id = $1 AND s.status = 'cancelled' AND b.status = 'cancelled'`, event.ID).Scan(&cancelled); err != nil || cancelled != n {
			t.Errorf("%d of %d were cancelled, %v", cancelled, n, err)
		}
		e.wantNoneToCancel(t)
	})
	t.Run("goes on with what is left of a cancelled slot", func(t *testing.T) {
		slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID)
		left := testkit.Book(t, e.desk, slot.ID, e.attendee(t).UserID, 1)
		e.exec(t, "UPDATE slots SET status = 'cancelled', cancelled_at = now() WHERE id = $1", slot.ID)
		found, err := db.New().SlotsToCancelBookings(t.Context(), e.pool, db.SlotsToCancelBookingsParams{Resting: []uuid.UUID{}, Page: 10})
		if err != nil || len(found) != 1 || found[0].IsDone || found[0].ID != slot.ID {
			t.Errorf("%v, %v", found, err)
		}
		ticker.Tick(t.Context())
		if status := e.status(t, left); status != "cancelled" {
			t.Errorf("the booking is %s", status)
		}
		e.wantNoneToCancel(t)
	})
}

// wantNoneToCancel checks that nothing that was cancelled is looked at any more.
func (e *env) wantNoneToCancel(t *testing.T) {
	t.Helper()
	slots, err := db.New().SlotsToCancel(t.Context(), e.pool, db.SlotsToCancelParams{Resting: []uuid.UUID{}, Page: 10})
	if err != nil || len(slots) != 0 {
		t.Errorf("of cancelled events: %v, %v", slots, err)
	}
	bookings, err := db.New().SlotsToCancelBookings(t.Context(), e.pool, db.SlotsToCancelBookingsParams{Resting: []uuid.UUID{}, Page: 10})
	if err != nil || len(bookings) != 0 {
		t.Errorf("of cancelled slots: %v, %v", bookings, err)
	}
}

// upgrade waits for seats instead of a booking.
func (e env) upgrade(t *testing.T, kept seating.Booking, slotID uuid.UUID, seats int) seating.Booking {
	t.Helper()
	outcome, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.Book{BookingID: testkit.ID(), SlotID: slotID, UserID: kept.UserID,
		Seats: seats, IfFull: seating.Wait, Replaces: kept.ID, ReplacesSlotID: kept.SlotID, By: seating.Actor{Role: seating.ActorAttendee, ID: kept.UserID}}})
	if err != nil {
		t.Fatal(err)
	}
	return outcome.Result.Booking
}

// checkIn checks an attendee in, or undoes that.
func (e env) checkIn(t *testing.T, event db.Event, b seating.Booking, undo bool) {
	t.Helper()
	if _, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.CheckIn{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Undo: undo,
		By: seating.Actor{Role: seating.ActorOrganizer, ID: event.OrganizerID}}}); err != nil {
		t.Fatal(err)
	}
}

// The database refuses what is decided in these slots. They are at the head of the
// worklist, more than a page of them, and do not keep another slot from its turn. Each is
// logged once, and a job leaves it to the ticker.
func TestCommandThatFailsEachTimeRests(t *testing.T) {
	testkit.SkipIfShort(t, "it promotes in many slots in vain")
	t.Parallel()
	e := open(t)
	var log lines
	jobs, err := river.NewClient(riverpgxv5.New(e.pool), &river.Config{Schema: postgres.RiverSchema})
	if err != nil {
		t.Fatal(err)
	}
	e.desk = desk.New(e.pool, jobs, slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(e.desk.Close)
	event := testkit.Event(t, e.pool)
	const poisoned = 300
	testkit.InsertFullSlots(t, e.pool, event.ID, testkit.FullSlots{Slots: poisoned, Seated: 1, Waiting: 1, Expires: time.Now().Add(-time.Hour)})
	e.exec(t, `CREATE TABLE poisoned AS SELECT id FROM slots`)
	e.exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF EXISTS (SELECT FROM poisoned p WHERE p.id = NEW.slot_id) THEN RAISE check_violation; END IF; RETURN NEW; END $$`)
	e.exec(t, `CREATE TRIGGER refuse BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION refuse()`)
	testkit.InsertFullSlots(t, e.pool, event.ID, testkit.FullSlots{Slots: 1, Seated: 1, Waiting: 1, Expires: time.Now().Add(-time.Minute)})

	ticker := waitlist.NewTicker(e.pool, e.desk, slog.New(slog.NewTextHandler(&log, nil)), 0).Paged(100)
	testkit.Eventually(t, "the other slot has its turn", func() bool {
		ticker.Tick(t.Context())
		return countWaiting(t, e.pool) == poisoned
	})
	if n := e.desk.Failing(); n < 100 || n > poisoned {
		t.Errorf("%d commands fail", n)
	}
	e.work(t)
	e.exec(t, `INSERT INTO river.river_job (kind, args, max_attempts) SELECT 'promote', jsonb_build_object('slot_id', id), 1 FROM poisoned LIMIT 1`)
	testkit.Eventually(t, "the job has ended", func() bool {
		var n int
		err := e.pool.QueryRow(t.Context(), "SELECT count(*) FROM river.river_job WHERE state = 'completed'").Scan(&n)
		return err == nil && n > 0
	})
	for failure, n := range log.failures() {
		if n != 1 {
			t.Errorf("%s was logged %d times", failure, n)
		}
	}
}

// lines is a log.
type lines struct{ bytes.Buffer }

// failures counts the lines of each slot and command.
func (l *lines) failures() map[string]int {
	failures := map[string]int{}
	for line := range strings.Lines(l.String()) {
		if _, failure, found := strings.Cut(line, "command="); found {
			failures[strings.Join(strings.Fields(failure)[:2], " ")]++
		}
	}
	return failures
}
