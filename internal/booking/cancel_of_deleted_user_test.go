package booking_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"eventbooking/internal/booking"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

// That takes several pages, ignores when cancelling closes, and promotes who waits.
func TestLiveBookingsOfADeletedUserAreCancelled(t *testing.T) {
	testkit.SkipIfShort(t, "it makes 113 bookings")
	t.Parallel()
	e := open(t)
	event, user, next := testkit.Event(t, e.pool), e.attendee(t), e.attendee(t)
	e.exec(t, "UPDATE events SET cancellation_closes_minutes = 525600 WHERE id = $1", event.ID)
	for hour := range 110 {
		starts := time.Duration(hour+1) * time.Hour
		e.mustBook(t, user, testkit.Slot(t, e.pool, event.ID, testkit.Times(starts, starts+time.Hour)).ID, 1)
	}
	full := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1), testkit.Times(500*time.Hour, 501*time.Hour))
	e.mustBook(t, user, full.ID, 1)
	e.mustBook(t, next, full.ID, 1)
	other := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1), testkit.Times(600*time.Hour, 601*time.Hour))
	e.mustBook(t, next, other.ID, 1)
	e.mustBook(t, user, other.ID, 1) // waits

	e.exec(t, "UPDATE users SET deleted_at = now() WHERE id = $1", user.UserID)
	testkit.Work(t, e.pool, func(w *river.Workers) {
		waitlist.AddWorkers(w, e.pool, e.desk)
		booking.AddWorkers(w, e.service)
	})
	e.exec(t, "INSERT INTO river.river_job (kind, args, max_attempts) VALUES ('leave', jsonb_build_object('user_id', $1::text), 5)", user.UserID.String())

	const live = "SELECT count(*) FROM bookings WHERE user_id = $1 AND status IN ('waitlisted', 'held', 'offered', 'confirmed')"
	testkit.Eventually(t, "no booking of the user is live", func() bool { return e.count(t, live, user.UserID) == 0 })
	testkit.Eventually(t, "the next in the queue has the seat", func() bool {
		return e.count(t, "SELECT count(*) FROM bookings WHERE slot_id = $1 AND user_id = $2 AND status IN ('confirmed', 'offered')", full.ID, next.UserID) == 1
	})
	if n := e.count(t, "SELECT count(*) FROM ledger WHERE user_id = $1 AND kind = 'cancelled' AND actor = 'system' AND reason = 'the user was deleted'", user.UserID); n != 112 {
		t.Errorf("%d entries", n)
	}
	if more, err := e.service.CancelBookingsOfDeletedUser(t.Context(), user.UserID); more || err != nil {
		t.Errorf("the second call: %v, %v", more, err)
	}
	if n := e.count(t, "SELECT count(*) FROM users WHERE id = $1 AND bookings_cancelled_at IS NULL", user.UserID); n != 0 {
		t.Error("the user is still on the list of the backstop")
	}
	_, err := e.book(user, full.ID, 1)
	wantFault(t, err, fault.TokenInvalid)
}

// What has become final before the deletion stays; nothing else is left. Users who cannot
// be finished do not keep the others from their turn.
func TestBackstopCancelsWhatJobsLeftOfDeletedUsers(t *testing.T) {
	testkit.SkipIfShort(t, "it makes some fifty users")
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	stuck := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(100))
	for range 45 { // more than two polls look at
		user := e.attendee(t)
		e.mustBook(t, user, stuck.ID, 1)
		e.exec(t, "UPDATE users SET deleted_at = now() - interval '1 minute' WHERE id = $1", user.UserID)
	}
	e.exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE check_violation; END $$`)
	e.exec(t, fmt.Sprintf(`CREATE TRIGGER refuse BEFORE INSERT ON ledger FOR EACH ROW WHEN (NEW.slot_id = '%s') EXECUTE FUNCTION refuse()`, stuck.ID))

	user, absent := e.attendee(t), e.attendee(t) // the last by id
	past := e.mustBook(t, user, testkit.Slot(t, e.pool, event.ID, testkit.Times(time.Hour, 2*time.Hour)).ID, 1)
	attended := e.mustBook(t, user, testkit.Slot(t, e.pool, event.ID, testkit.Times(3*time.Hour, 4*time.Hour)).ID, 1)
	running := e.mustBook(t, absent, testkit.Slot(t, e.pool, event.ID, testkit.Times(5*time.Hour, 6*time.Hour)).ID, 1)
	future := e.mustBook(t, user, testkit.Slot(t, e.pool, event.ID, testkit.Times(9*time.Hour, 10*time.Hour)).ID, 1)
	shift := func(slotID uuid.UUID, starts, ends string) {
		e.exec(t, "UPDATE slots SET starts_at = now() + $2::interval, ends_at = now() + $3::interval WHERE id = $1", slotID, starts, ends)
	}
	shift(past.SlotID, "-4 hours", "-3 hours")
	shift(attended.SlotID, "-2 hours", "10 minutes")
	shift(running.SlotID, "-1 minute", "30 minutes")
	e.exec(t, "UPDATE bookings SET checked_in_at = now() WHERE id = $1", attended.ID)
	e.exec(t, "UPDATE users SET deleted_at = now() - interval '30 seconds' WHERE id IN ($1, $2)", user.UserID, absent.UserID)

	leaving := booking.NewLeaving(e.service)
	for more := true; more; {
		var err error
		if more, err = leaving.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for b, want := range map[uuid.UUID]string{past.ID: "confirmed", attended.ID: "confirmed", running.ID: "cancelled", future.ID: "cancelled"} {
		if n := e.count(t, "SELECT count(*) FROM bookings WHERE id = $1 AND status = $2", b, want); n != 1 {
			t.Errorf("booking %s is not %s", b, want)
		}
	}
	if n := e.count(t, "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL AND bookings_cancelled_at IS NULL"); n != 45 {
		t.Errorf("%d users are left, want the 45 who cannot be finished", n)
	}
}
