package desk_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// Whatever is read of the queues, the ledgers are the same: with the smallest pages, whose
// heads often turn out to be busy, and with the largest.
func TestLedgersDoNotDependOnThePages(t *testing.T) {
	t.Parallel()
	for _, fit := range []string{"strict", "first_fit"} {
		t.Run(fit, func(t *testing.T) {
			t.Parallel()
			seed := freshSeed(t)
			smallest, largest := replay(t, fit, 0, seed), replay(t, fit, seating.HeadsPage, seed)
			for i, entry := range smallest {
				if i >= len(largest) || entry != largest[i] {
					t.Fatalf("entry %d of %d and %d:\n%s\nwith larger pages:\n%s", i, len(smallest), len(largest), entry, largest[min(i, len(largest)-1)])
				}
			}
			if len(smallest) != len(largest) {
				t.Errorf("%d entries, and %d with larger pages", len(smallest), len(largest))
			}
		})
	}
}

// replay plays random batches, the same for each seed, and returns what the ledgers have
// then, with numbers instead of ids.
func replay(t *testing.T, fit string, spare int, seed uint64) []string {
	l, random := newLoad(t), rand.New(rand.NewPCG(seed, 1))
	l.desk.ReadAhead(spare)
	l.slots = l.slots[:6] // five at the same time: whoever is served in one is busy in four queues
	l.exec(`UPDATE events SET fit = $1, max_passes = 20, hold_minutes = 60`, fit)
	var commands []seating.Command
	for range 30 * len(l.slots) {
		commands = append(commands, l.wait(random))
	}
	for range 20 {
		l.runTogether(t, commands)
		if random.IntN(3) == 0 {
			l.promoteAll(t)
		}
		commands = l.freeing(t, random)
		for range random.IntN(12) {
			c := l.command(random)
			if random.IntN(2) == 0 {
				c = l.wait(random)
			}
			commands = append(commands, c)
		}
	}
	l.promoteAll(t)
	testkit.Sound(t, l.pool)
	return l.entries(t)
}

// runTogether runs commands as one batch.
func (l *load) runTogether(t *testing.T, commands []seating.Command) {
	t.Helper()
	var batch []desk.Submission
	for _, c := range commands {
		batch = append(batch, desk.Submission{Command: c})
	}
	for i, err := range l.desk.RunTogether(batch...) {
		wantRefusalOrNil(t, err)
		if b, booked := bookingOf(commands[i]); booked && err == nil {
			l.remember(seating.Result{Booking: b})
		}
	}
}

// freeing are cancellations of a few bookings with seats.
func (l *load) freeing(t *testing.T, random *rand.Rand) (commands []seating.Command) {
	rows, err := l.pool.Query(t.Context(), `SELECT slot_id, id, user_id FROM bookings WHERE takes_seats(status)
		ORDER BY array_position($1::uuid[], slot_id), version LIMIT 2 OFFSET $2`, l.slots, random.IntN(10))
	must(t, err)
	commands, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (seating.Command, error) {
		c := seating.Cancel{By: seating.Actor{Role: seating.ActorOrganizer, ID: l.users[0]}}
		err := row.Scan(&c.SlotID, &c.BookingID, &c.UserID)
		return c, err
	})
	must(t, err)
	return commands
}

// wait is a booking by somebody who waits if they must.
func (l *load) wait(random *rand.Rand) seating.Book {
	seats, user := 1+random.IntN(3), l.users[1+random.IntN(len(l.users)-1)] // not the organizer
	return seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: l.slots[random.IntN(len(l.slots))], UserID: user,
		Seats: seats, SeatsMin: random.IntN(seats + 1), IfFull: seating.Wait, By: seating.Actor{Role: seating.ActorAttendee, ID: user}}
}

// bookingOf is the booking that a command makes.
func bookingOf(c seating.Command) (seating.Booking, bool) {
	switch c := c.(type) {
	case seating.Book:
		return seating.Booking{ID: c.BookingID, SlotID: c.SlotID, UserID: c.UserID}, true
	case seating.Hold:
		return bookingOf(c.Book)
	case seating.Move:
		return seating.Booking{ID: c.NewID, SlotID: c.ToSlotID, UserID: c.UserID}, true
	}
	return seating.Booking{}, false
}

// promoteAll does what the jobs would do, until nothing is left.
func (l *load) promoteAll(t *testing.T) {
	t.Helper()
	for again := true; again; {
		before := l.count(`SELECT count(*) FROM ledger`)
		for _, slot := range l.slots {
			_, err := l.do(seating.Promote{SlotID: slot, Also: l.slots})
			must(t, err)
		}
		again = l.count(`SELECT count(*) FROM ledger`) > before
	}
}

// entries are those of all ledgers.
func (l *load) entries(t *testing.T) []string {
	rows, err := l.pool.Query(t.Context(), `
		SELECT slot_id, version, kind, coalesce(booking_id, slot_id), coalesce(user_id, slot_id), coalesce(cause_slot_id, slot_id),
		       concat_ws(' ', seats, status, capacity, seats_taken, waitlist_length, reason, actor, cause_version)
		FROM ledger ORDER BY array_position($1::uuid[], slot_id), version`, l.slots)
	must(t, err)
	var made []uuid.UUID
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var slot, booking, user, cause uuid.UUID
		var version int64
		var kind, rest string
		err := row.Scan(&slot, &version, &kind, &booking, &user, &cause, &rest)
		if !slices.Contains(made, booking) {
			made = append(made, booking)
		}
		return fmt.Sprintf("%d.%d %s of booking %d of user %d: %s of %d", slices.Index(l.slots, slot), version, kind,
			slices.Index(made, booking), slices.Index(l.users, user), rest, slices.Index(l.slots, cause)), err
	})
	must(t, err)
	return entries
}

// Who only waits has nothing to do with a cancellation, and is not locked by it; a
// promotion locks those whom it serves, and a few more.
func TestFewInALongQueueAreLocked(t *testing.T) {
	t.Parallel()
	const waiting = 450
	for fit, ahead := range map[string]int{"strict": 0, "first_fit": 0, "first_fit of groups": seating.LookAhead} {
		t.Run(fit, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, 1)
			testkit.InsertFullSlots(t, e.pool, e.event, testkit.FullSlots{Slots: 1, Seated: 3, Waiting: waiting})
			e.exec(`UPDATE events SET fit = left($1, 9), max_passes = 3`, fit)
			if ahead > 0 {
				e.exec(`UPDATE bookings SET seats = 2 WHERE status = 'waitlisted'`)
			}
			e.exec(`CREATE TABLE untouched AS SELECT id, xmax AS locker FROM users`)
			for _, c := range []struct {
				what string
				step func() seating.Command
				most int
			}{
				{"a waiter leaves", func() seating.Command { return e.cancelOf("waitlisted") }, 1},
				{"a seat is given back", func() seating.Command { return e.cancelOf("confirmed") }, 1},
				{"it is passed on", func() seating.Command { return seating.Promote{SlotID: e.onlySlot()} }, 1 + seating.SpareHeads + ahead},
				{"nothing is free", func() seating.Command { return seating.Promote{SlotID: e.onlySlot()} }, ahead * 2},
			} {
				_, err := e.do(c.step())
				must(t, err)
				locked := e.count(`SELECT count(*) FROM users u JOIN untouched t ON t.id = u.id WHERE u.xmax <> t.locker`)
				if locked > c.most {
					t.Errorf("%s: %d users were locked, want at most %d", c.what, locked, c.most)
				}
				e.exec(`DROP TABLE untouched; CREATE TABLE untouched AS SELECT id, xmax AS locker FROM users`)
			}
		})
	}
}

func (e *env) onlySlot() (id uuid.UUID) {
	must(e.t, e.pool.QueryRow(e.t.Context(), `SELECT id FROM slots`).Scan(&id))
	return id
}

// cancelOf cancels one of the bookings of a status.
func (e *env) cancelOf(status string) seating.Cancel {
	c := seating.Cancel{By: seating.Actor{Role: seating.ActorOrganizer}}
	must(e.t, e.pool.QueryRow(e.t.Context(), `SELECT slot_id, id, user_id FROM bookings WHERE status = $1 ORDER BY queued_version LIMIT 1`, status).
		Scan(&c.SlotID, &c.BookingID, &c.UserID))
	return c
}

// More heads turn out to be busy than are read to spare: the batch reads on before it
// answers, and a newcomer gets the seat that nobody of the queue can take.
func TestBatchReadsOnBehindBusyHeads(t *testing.T) {
	t.Parallel()
	const busy = seating.SpareHeads + 5
	e := newEnv(t, busy+5)
	slot, elsewhere := e.slot(2, 24), e.slot(busy, 24)
	first, second := e.mustBook(slot, e.users[1], 1, seating.Reject), e.mustBook(slot, e.users[2], 1, seating.Reject)
	for _, user := range e.users[5:] {
		e.mustBook(slot, user, 1, seating.Wait)
		e.mustBook(elsewhere, user, 1, seating.Reject)
	}
	last := e.mustBook(slot, e.users[3], 1, seating.Wait)
	newcomer := seating.Book{BookingID: uuid.Must(uuid.NewV7()), SlotID: slot, UserID: e.users[4], Seats: 1, IfFull: seating.Reject, By: seating.System("")}
	for _, err := range e.desk.RunTogether(desk.Submission{Command: cancelling(first)}, desk.Submission{Command: cancelling(second)}, desk.Submission{Command: newcomer}) {
		must(t, err)
	}
	if a, b := e.status(last.ID), e.status(newcomer.BookingID); a != seating.Confirmed || b != seating.Confirmed {
		t.Errorf("the last in the queue is %s, the newcomer %s", a, b)
	}
	if n := e.count(`SELECT count(*) FROM bookings WHERE blocked = 'overlap'`); n != busy {
		t.Errorf("%d are blocked, want %d", n, busy)
	}
}

func cancelling(b seating.Booking) seating.Cancel {
	return seating.Cancel{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}}
}
