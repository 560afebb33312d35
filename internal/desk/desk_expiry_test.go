package desk_test

import (
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// A hold has expired, but nobody has noticed. Its seats go first to the booking that
// waits, and those that are left to the newcomer, in the same command.
func TestSeatsOfAnExpiredHoldGoToTheQueueThenToANewcomer(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 3)
	slot := e.slot(3, 1)
	held, err := e.do(seating.Hold{Book: seating.Book{
		BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: e.users[0], Seats: 3, By: seating.Actor{Role: seating.ActorAttendee, ID: e.users[0]}}})
	must(t, err)
	waiting := e.mustBook(slot, e.users[1], 1, seating.Wait)
	e.exec(`UPDATE bookings SET expires_at = now() - interval '1 second' WHERE id = $1`, held.Booking.ID)

	newcomer := e.mustBook(slot, e.users[2], 2, seating.Reject)
	wantStatus(t, newcomer.Status, seating.Confirmed)
	wantStatus(t, e.status(waiting.ID), seating.Confirmed)
	wantStatus(t, e.status(held.Booking.ID), seating.Expired)
}

// A booking that is too large for the capacity keeps its position, and is served
// before newcomers as soon as the capacity suffices.
func TestRaisedCapacityServesBlockedBookingsBeforeNewcomers(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 3)
	slot := e.slot(3, 1)
	e.mustBook(slot, e.users[0], 1, seating.Wait)
	large := e.mustBook(slot, e.users[1], 3, seating.Wait)
	e.resize(slot, 2)
	_, err := e.do(seating.Promote{SlotID: slot})
	must(t, err)
	e.resize(slot, 4)

	newcomer := e.mustBook(slot, e.users[2], 1, seating.Wait)
	wantStatus(t, e.status(large.ID), seating.Confirmed)
	wantStatus(t, newcomer.Status, seating.Waitlisted)
}

func (e *env) resize(slot uuid.UUID, capacity int) {
	e.t.Helper()
	_, err := e.do(seating.EditSlot{SlotID: slot, Capacity: &capacity, By: seating.System("")})
	must(e.t, err)
}
