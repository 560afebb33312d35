package booking_test

import (
	"testing"
	"time"

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
	if err := e.service.CancelBookingsOfDeletedUser(t.Context(), user.UserID); err != nil {
		t.Errorf("the second call: %v", err)
	}
	_, err := e.book(user, full.ID, 1)
	wantFault(t, err, fault.TokenInvalid)
}
