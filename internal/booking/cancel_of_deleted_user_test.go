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

// Everything live of a deleted user goes, in many pages, whatever the
// cancellation window says, and who waited is promoted.
func TestLeave(t *testing.T) {
	t.Parallel()
	h := open(t)
	event, user, next := testkit.Event(t, h.pool), h.attendee(t), h.attendee(t)
	h.exec(t, "UPDATE events SET cancellation_closes_minutes = 525600 WHERE id = $1", event.ID)
	for hour := range 110 {
		starts := time.Duration(hour+1) * time.Hour
		h.mustBook(t, user, testkit.Slot(t, h.pool, event.ID, testkit.Times(starts, starts+time.Hour)).ID, 1)
	}
	full := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1), testkit.Times(500*time.Hour, 501*time.Hour))
	h.mustBook(t, user, full.ID, 1)
	h.mustBook(t, next, full.ID, 1)
	other := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1), testkit.Times(600*time.Hour, 601*time.Hour))
	h.mustBook(t, next, other.ID, 1)
	h.mustBook(t, user, other.ID, 1) // waits

	h.exec(t, "UPDATE users SET deleted_at = now() WHERE id = $1", user.UserID)
	testkit.Work(t, h.pool, func(w *river.Workers) {
		waitlist.AddWorkers(w, h.pool, h.desk)
		booking.AddWorkers(w, h.service)
	})
	h.exec(t, "INSERT INTO river.river_job (kind, args, max_attempts) VALUES ('leave', jsonb_build_object('user_id', $1::text), 5)", user.UserID.String())

	const live = "SELECT count(*) FROM bookings WHERE user_id = $1 AND status IN ('waitlisted', 'held', 'offered', 'confirmed')"
	testkit.Eventually(t, "nothing of the user is live", func() bool { return h.count(t, live, user.UserID) == 0 })
	testkit.Eventually(t, "the next got the seat", func() bool {
		return h.count(t, "SELECT count(*) FROM bookings WHERE slot_id = $1 AND user_id = $2 AND status IN ('confirmed', 'offered')", full.ID, next.UserID) == 1
	})
	if n := h.count(t, "SELECT count(*) FROM ledger WHERE user_id = $1 AND kind = 'cancelled' AND actor = 'system' AND reason = 'the user was deleted'", user.UserID); n != 112 {
		t.Errorf("%d entries", n)
	}
	if err := h.service.CancelBookingsOfDeletedUser(t.Context(), user.UserID); err != nil {
		t.Errorf("a second time: %v", err)
	}
	_, err := h.book(user, full.ID, 1)
	wants(t, err, fault.TokenInvalid)
}
