package booking_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// offering makes a slot whose n seats are offered to n bookings, while more wait.
func (e env) offering(t *testing.T, n, more int) (seating.Slot, []seating.Booking) {
	t.Helper()
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.WaitlistMode = string(seating.WaitlistOffer) })
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(n))
	first := e.attendee(t)
	all := e.mustBook(t, first, slot.ID, n)
	var offers []seating.Booking
	for i, caller := range e.attendees(t, n+more) {
		if b := e.mustBook(t, caller, slot.ID, 1); i < n {
			offers = append(offers, b)
		}
	}
	if _, err := e.cancel(first, all.ID, ""); err != nil {
		t.Fatal(err)
	}
	e.promote(t, slot.ID)
	for _, b := range offers {
		if s := e.status(t, b.ID); s != seating.Offered {
			t.Fatalf("an offer is %s", s)
		}
	}
	return slot, offers
}

func owners(bookings []seating.Booking) (callers []access.Caller) {
	for _, b := range bookings {
		callers = append(callers, testkit.Caller(b.UserID, access.Attendee))
	}
	return callers
}

// accept and decline answer an offer as the attendee.
func (e env) accept(b seating.Booking) error {
	_, err := e.desk.Do(context.Background(), desk.Submission{Command: seating.Confirm{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: seating.Offered, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}}})
	return err
}

func (e env) decline(b seating.Booking) error {
	_, err := e.desk.Do(context.Background(), desk.Submission{Command: seating.Decline{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}}})
	return err
}

// Holds expire while they are confirmed. Each is confirmed or expired, as its caller
// was told, and the seats of the expired ones go to the waitlist. Every fourth hold
// was due before, and every fourth is not due at all.
func TestConfirmAndExpiryOfAHoldExcludeEachOther(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	t.Parallel()
	e := open(t, testkit.MaxConns(20))
	const n = 60
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(n))
	holders := e.attendees(t, n)
	var holds [n]seating.Booking
	for i, caller := range holders {
		holds[i] = e.mustHold(t, caller, slot.ID, 1)
	}
	for _, caller := range e.attendees(t, n) {
		e.mustBook(t, caller, slot.ID, 1)
	}
	for i := 0; i < n; i += 4 {
		e.expire(t, holds[i].ID)
	}
	var told [n]error
	e.race(t, slices.Concat(holders, holders), func(i int, caller access.Caller) {
		switch {
		case i < n:
			_, told[i] = e.confirm(caller, holds[i].ID)
		case i%4 != 1:
			e.expire(t, holds[i-n].ID)
		}
	})
	testkit.Sound(t, e.pool)
	for i, err := range told {
		want := seating.Confirmed
		if err != nil {
			wantFault(t, err, fault.HoldExpired)
			want = seating.Expired
		}
		if got := e.status(t, holds[i].ID); got != want {
			t.Errorf("hold %d is %s, its caller was told %v", i, got, err)
		}
		if i%4 == 0 && err == nil || i%4 == 1 && err != nil {
			t.Errorf("hold %d: %v", i, err)
		}
	}
	if taken := e.count(t, "SELECT seats_taken FROM slots"); taken != n {
		t.Errorf("%d of %d seats are taken, while others wait", taken, n)
	}
}

// Offers expire while they are accepted or declined. Each ends as its caller was told,
// nobody is offered seats twice, and seats that were not accepted are offered to the
// next.
func TestAnswerAndExpiryOfAnOfferExcludeEachOther(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	t.Parallel()
	e := open(t, testkit.MaxConns(20))
	const n = 60
	slot, offers := e.offering(t, n, n)
	var told [n]error
	callers := owners(offers)
	e.race(t, slices.Concat(callers, callers), func(i int, _ access.Caller) {
		switch {
		case i >= n:
			e.expire(t, offers[i-n].ID)
		case i%3 == 0:
			told[i] = e.decline(offers[i])
		default:
			told[i] = e.accept(offers[i])
		}
	})
	testkit.Sound(t, e.pool)
	lost := 0
	for i, err := range told {
		want := seating.Confirmed
		switch {
		case err != nil:
			wantFault(t, err, fault.OfferExpired)
			want = seating.Expired
		case i%3 == 0:
			want = seating.Cancelled
		}
		got := e.status(t, offers[i].ID)
		if got != want {
			t.Errorf("offer %d is %s, its caller was told %v", i, got, err)
		}
		if got != seating.Confirmed {
			lost++
		}
	}
	if again := e.count(t, "SELECT count(*) FROM bookings WHERE status = 'offered'"); again != lost {
		t.Errorf("%d seats came back, %d are offered to the next", lost, again)
	}
	if taken := e.count(t, "SELECT seats_taken FROM slots WHERE id = $1", slot.ID); taken != n {
		t.Errorf("%d of %d seats are taken, while others wait", taken, n)
	}
	e.wantNone(t, "bookings that were offered seats twice", "SELECT FROM ledger WHERE kind = 'offered' GROUP BY booking_id HAVING count(*) > 1")
}

// Offers are accepted and declined while the capacity is raised. In the end every
// seat is taken or offered.
func TestDeclinedAndNewSeatsAreAllOffered(t *testing.T) {
	testkit.SkipIfShort(t, "it is a race")
	t.Parallel()
	e := open(t, testkit.MaxConns(20))
	const n, raises = 40, 20
	slot, offers := e.offering(t, n, 3*n)
	callers := owners(offers)
	e.race(t, append(callers, callers[:raises]...), func(i int, _ access.Caller) {
		var err error
		switch {
		case i >= n:
			capacity := 2*n + i // refused if it comes after a higher one
			_, err = e.desk.Do(context.Background(), desk.Submission{Command: seating.EditSlot{
				SlotID: slot.ID, Capacity: &capacity, By: seating.System("")}})
			if errors.Is(err, fault.CapacityBelowTaken) {
				err = nil
			}
		case i%2 == 0:
			err = e.accept(offers[i])
		default:
			err = e.decline(offers[i])
		}
		if err != nil {
			t.Error(err)
		}
	})
	testkit.Sound(t, e.pool)
	e.wantNone(t, "slots with seats that were offered to nobody", "SELECT FROM slots WHERE seats_taken < capacity AND waitlist_ready > 0")
	for i, b := range offers {
		want := []seating.Status{seating.Confirmed, seating.Cancelled}[i%2]
		if got := e.status(t, b.ID); got != want {
			t.Errorf("offer %d is %s, want %s", i, got, want)
		}
	}
}
