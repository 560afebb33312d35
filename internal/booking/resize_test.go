package booking_test

import (
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/booking"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/view"
)

func TestPatchKeepsSeatsMinBelowSeats(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		patch    booking.Patch
		seats    int
		seatsMin int
		refused  bool
	}{
		{"nothing", booking.Patch{}, 4, 2, false},
		{"more seats", booking.Patch{Seats: new(5)}, 5, 2, false},
		{"fewer seats", booking.Patch{Seats: new(3)}, 3, 2, false},
		{"fewer than the minimum, which becomes less too", booking.Patch{Seats: new(1)}, 1, 1, false},
		{"cleared", booking.Patch{SeatsMin: new(0)}, 4, 0, false},
		{"minimum of all seats", booking.Patch{SeatsMin: new(4)}, 4, 4, false},
		{"minimum above the seats there are", booking.Patch{SeatsMin: new(5)}, 0, 0, true},
		{"minimum above the new seats", booking.Patch{Seats: new(1), SeatsMin: new(2)}, 0, 0, true},
		{"both", booking.Patch{Seats: new(8), SeatsMin: new(6)}, 8, 6, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			seats, seatsMin, err := booking.ApplyPatch(test.patch, seating.Booking{Seats: 4, SeatsMin: 2})
			if test.refused {
				wantFields(t, err, "/seats_min")
			} else if err != nil || seats != test.seats || seatsMin != test.seatsMin {
				t.Errorf("%d seats, at least %d, %v", seats, seatsMin, err)
			}
		})
	}
}

func TestWhoMayResizeToHowManySeats(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.CancellationClosesMinutes = 60 * 24 })
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(4), hours(100))
	soon := testkit.Slot(t, e.pool, event.ID, hours(10))
	owner, waiter := e.attendee(t), e.attendee(t)
	b := e.mustBook(t, owner, slot.ID, 2)
	resize := func(caller access.Caller, id uuid.UUID, patch booking.Patch) (view.Booking, error) {
		return e.service.Resize(t.Context(), caller, id, view.AnyState, patch)
	}
	seats := func(n int) booking.Patch { return booking.Patch{Seats: &n} }

	for _, stranger := range e.strangers(t) {
		_, err := resize(stranger, b.ID, seats(1))
		wantFault(t, err, fault.NotFound)
	}
	for role, caller := range e.actors(t, owner, event) {
		for _, n := range []int{3, 2} {
			if got, err := resize(caller, b.ID, seats(n)); err != nil || got.Seats != n {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		if actor := e.actor(t, b.ID); actor != role {
			t.Errorf("recorded %s, want %s", actor, role)
		}
	}
	_, err := resize(owner, b.ID, seats(5))
	wantFault(t, err, fault.SeatsExceedCapacity)
	_, err = resize(owner, b.ID, booking.Patch{SeatsMin: new(3)})
	wantFields(t, err, "/seats_min")
	before := e.count(t, "SELECT count(*) FROM ledger")
	for _, same := range []booking.Patch{{}, seats(2), {SeatsMin: new(0)}} {
		if got, err := resize(owner, b.ID, same); err != nil || got.Seats != 2 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if n := e.count(t, "SELECT count(*) FROM ledger"); n != before {
		t.Errorf("resizes that change nothing made %d entries", n-before)
	}

	// Three wait. The first keeps its position with fewer seats, and loses it with more.
	first := e.mustBook(t, waiter, slot.ID, 4)
	e.mustBook(t, e.attendee(t), slot.ID, 4)
	e.mustBook(t, e.attendee(t), slot.ID, 4)
	_, err = resize(owner, b.ID, seats(3))
	wantFault(t, err, fault.SlotFull)
	if open := fault.Of(err).Members.WaitlistOpen; open == nil || !*open {
		t.Errorf("waitlist_open is %v", open)
	}
	if got, err := resize(waiter, first.ID, seats(3)); err != nil || got.Position != 1 || got.Seats != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := resize(waiter, first.ID, booking.Patch{Seats: new(4), SeatsMin: new(3)}); err != nil || got.Position != 3 || got.SeatsMin != 3 {
		t.Errorf("%+v, %v", got, err)
	}

	late := e.mustBook(t, owner, soon.ID, 2)
	_, err = resize(owner, late.ID, seats(1))
	wantFault(t, err, fault.CancellationWindowClosed)
	held := e.mustHold(t, e.attendee(t), soon.ID, 1)
	_, err = resize(organizerOf(event), held.ID, seats(2))
	wantFault(t, err, fault.InvalidTransition)
	testkit.Sound(t, e.pool)
}

func TestResizeIsForTheStateThatIfMatchNames(t *testing.T) {
	t.Parallel()
	e := open(t)
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID)
	owner := e.attendee(t)
	b := e.mustBook(t, owner, slot.ID, 1)
	ctx := access.WithCaller(t.Context(), owner)
	tag := func() string {
		t.Helper()
		got, err := e.handler.GetBooking(ctx, api.GetBookingRequestObject{BookingID: b.ID})
		if err != nil {
			t.Fatal(err)
		}
		return got.(api.GetBooking200JSONResponse).Headers.ETag
	}
	resize := func(match string, n int) error {
		_, err := e.service.Resize(ctx, owner, b.ID, view.OptionalIfMatch(&match, view.BookingTag), booking.Patch{Seats: &n})
		return err
	}
	seen := tag()
	wantFault(t, resize(`"another"`, 2), fault.VersionMismatch)
	wantFault(t, resize(seen[1:len(seen)-1], 2), fault.VersionMismatch) // without its quotes
	if err := resize(`"another", `+seen, 2); err != nil {
		t.Error(err)
	}
	wantFault(t, resize(seen, 3), fault.VersionMismatch)
	if err := resize(tag(), 3); err != nil {
		t.Error(err)
	}
	if err := resize(" * ", 4); err != nil {
		t.Error(err)
	}
}
