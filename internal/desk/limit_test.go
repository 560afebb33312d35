//go:build unix

package desk_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// Whatever one user asks at once, for as many slots and of as many processes, they get as
// many seats of the event as the limit says: not one more or less.
func TestTheLimitOfAUserHoldsInARace(t *testing.T) {
	t.Parallel()
	const limit, slots = 7, 12
	url := testkit.DatabaseURL(t)
	pool := testkit.Connect(t, url, testkit.MaxConns(desk.Connections))
	desks := []*desk.Desk{testkit.Desk(t, pool), testkit.Desk(t, testkit.Connect(t, url, testkit.MaxConns(desk.Connections)))}
	event := testkit.Event(t, pool, func(e *db.Event) { e.MaxSeatsPerUser = new(int32(limit)) })
	other := testkit.Event(t, pool)
	var all []uuid.UUID // a third of them full after the first round, so that one has to wait
	for i := range slots {
		all = append(all, testkit.Slot(t, pool, event.ID, testkit.Capacity([]int{6, 6, 1}[i%3]), testkit.Times(time.Duration(24+3*i)*time.Hour, time.Duration(26+3*i)*time.Hour)).ID)
	}
	elsewhere := testkit.Slot(t, pool, other.ID, testkit.Capacity(50), testkit.Times(20*time.Hour, 22*time.Hour)).ID
	for round := range 6 {
		user := testkit.User(t, pool, access.Attendee).UserID
		testkit.Book(t, desks[0], elsewhere, user, 5) // of another event, and does not count
		var asking sync.WaitGroup
		for i, slot := range all {
			asking.Go(func() {
				_, err := desks[i%2].Do(context.Background(), desk.Submission{Command: ask(i, user, slot)})
				if err != nil && !errors.Is(err, fault.UserSeatLimit) && !errors.Is(err, fault.AlreadyBooked) && !errors.Is(err, fault.SlotFull) {
					t.Error(err)
				}
			})
		}
		asking.Wait()
		var has int
		err := pool.QueryRow(t.Context(), `SELECT sum(b.seats) FROM bookings b JOIN slots s ON s.id = b.slot_id
			WHERE b.user_id = $1 AND s.event_id = $2 AND is_live(b.status)`, user, event.ID).Scan(&has)
		must(t, err)
		if has != limit {
			t.Errorf("round %d: the user has %d seats, want %d", round, has, limit)
		}
	}
	testkit.Sound(t, pool)
}

// ask is one of the commands by which somebody gets seats of a slot, one seat each: so
// whoever is refused, all seats up to the limit are given out in the end.
func ask(i int, user, slot uuid.UUID) seating.Command {
	book := seating.Book{BookingID: testkit.ID(), SlotID: slot, UserID: user, Seats: 1, IfFull: seating.Wait,
		By: seating.Actor{Role: seating.ActorAttendee, ID: user}}
	switch i % 3 {
	case 0:
		return seating.Hold{Book: book}
	case 1:
		return seating.Bundle{Items: []seating.Book{book}}
	}
	return book
}
