package desk_test

import (
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// A newcomer who finds that a hold ran out comes after those who wait for its
// seats, and before nobody: what they leave is there at once.
func TestNewcomerFindsAHoldThatRanOut(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 3)
	slot := h.slot(3, 1)
	held, err := h.do(seating.Hold{Book: seating.Book{
		BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: h.users[0], Seats: 3, By: seating.Actor{Role: seating.ActorAttendee, ID: h.users[0]}}})
	must(t, err)
	waits := h.mustBook(slot, h.users[1], 1, seating.Wait)
	h.exec(`UPDATE bookings SET expires_at = now() - interval '1 second' WHERE id = $1`, held.Booking.ID)

	newcomer := h.mustBook(slot, h.users[2], 2, seating.Reject)
	wantStatus(t, newcomer.Status, seating.Confirmed)
	wantStatus(t, h.status(waits.ID), seating.Confirmed)
	wantStatus(t, h.status(held.Booking.ID), seating.Expired)
}

// Who is too many for the capacity is back at the old place as soon as it grows,
// before any newcomer.
func TestGrownCapacityIsForThoseWhomItBlocked(t *testing.T) {
	t.Parallel()
	h := newEnv(t, 3)
	slot := h.slot(3, 1)
	h.mustBook(slot, h.users[0], 1, seating.Wait)
	party := h.mustBook(slot, h.users[1], 3, seating.Wait)
	h.resize(slot, 2)
	_, err := h.do(seating.Promote{SlotID: slot})
	must(t, err)
	h.resize(slot, 4)

	newcomer := h.mustBook(slot, h.users[2], 1, seating.Wait)
	wantStatus(t, h.status(party.ID), seating.Confirmed)
	wantStatus(t, newcomer.Status, seating.Waitlisted)
}

func (h *env) resize(slot uuid.UUID, capacity int) {
	h.t.Helper()
	_, err := h.do(seating.EditSlot{SlotID: slot, Capacity: &capacity, By: seating.System("")})
	must(h.t, err)
}
