package desk_test

import (
	"testing"

	"github.com/google/uuid"

	"eventbooking/internal/desk"
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

// A slot starts while its queue is read: not yet by the clock that decides, but by
// the statements after it. Everybody is in the queue once, and a newcomer passes
// nobody who has seats by then.
func TestASlotThatStartsWhileItIsReadHasItsQueueOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t, 4)
	e.exec(`UPDATE events SET fit = 'first_fit'`)
	slot := e.slot(3, 1)
	first := e.mustBook(slot, e.users[0], 3, seating.Reject)
	waiting := e.mustBook(slot, e.users[1], 1, seating.Wait)
	_, err := e.cancel(first)
	must(t, err)

	// From now on every look at the clock is a minute later than the one before.
	e.exec(`CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
		RETURN pg_catalog.clock_timestamp() + interval '1 minute'
			* set_config('test.looks', (coalesce(nullif(current_setting('test.looks', true), ''), '0')::int + 1)::text, false)::int`)
	e.exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$`)
	e.exec(`UPDATE slots SET starts_at = now() + interval '90 seconds'`)
	e.pool.Reset()
	book := func(user uuid.UUID, seats int) seating.Command {
		return seating.Book{BookingID: uuid.New(), SlotID: slot, UserID: user, Seats: seats, IfFull: seating.Wait, By: seating.Actor{Role: seating.ActorAttendee, ID: user}}
	}
	r, err := desk.DryRun(t.Context(), e.pool, seating.Promote{SlotID: slot}, book(e.users[2], 3), book(e.users[3], 1),
		seating.CheckIn{SlotID: slot, BookingID: waiting.ID, UserID: waiting.UserID})
	must(t, err)
	if len(r[0].Promoted) != 1 || r[0].Promoted[0].ID != waiting.ID || r[2].Booking.Status != seating.Confirmed || r[3].Booking.Passes != 0 {
		t.Errorf("promoted %+v, then %+v, and %+v was passed", r[0].Promoted, r[2].Booking, r[3].Booking)
	}
}
