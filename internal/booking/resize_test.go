package booking_test

import (
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/booking"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/waitlist"
)

func TestPatchOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		patch        booking.Patch
		seats, least int
		refused      bool
	}{
		{"nothing", booking.Patch{}, 4, 2, false},
		{"more seats", booking.Patch{Seats: new(5)}, 5, 2, false},
		{"fewer seats", booking.Patch{Seats: new(3)}, 3, 2, false},
		{"fewer than the minimum, which follows", booking.Patch{Seats: new(1)}, 1, 1, false},
		{"cleared", booking.Patch{SeatsMin: new(0)}, 4, 0, false},
		{"minimum of all seats", booking.Patch{SeatsMin: new(4)}, 4, 4, false},
		{"minimum above the seats there are", booking.Patch{SeatsMin: new(5)}, 0, 0, true},
		{"minimum above the new seats", booking.Patch{Seats: new(1), SeatsMin: new(2)}, 0, 0, true},
		{"both", booking.Patch{Seats: new(8), SeatsMin: new(6)}, 8, 6, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			seats, least, err := booking.PatchOf(test.patch, seating.Booking{Seats: 4, SeatsMin: 2})
			if test.refused {
				wantsField(t, err, "/seats_min")
			} else if err != nil || seats != test.seats || least != test.least {
				t.Errorf("%d seats, at least %d, %v", seats, least, err)
			}
		})
	}
}

func TestResize(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool, func(e *db.Event) { e.CancellationClosesMinutes = 60 * 24 })
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(4), hours(100))
	soon := testkit.Slot(t, h.pool, event.ID, hours(10))
	owner, waiter := h.attendee(t), h.attendee(t)
	b := h.mustBook(t, owner, slot.ID, 2)
	resize := func(caller account.Caller, id uuid.UUID, patch booking.Patch) (waitlist.Placed, error) {
		return h.service.Resize(t.Context(), caller, id, nil, patch)
	}
	seats := func(n int) booking.Patch { return booking.Patch{Seats: &n} }

	for _, stranger := range h.strangers(t) {
		_, err := resize(stranger, b.ID, seats(1))
		wants(t, err, fault.NotFound)
	}
	for part, caller := range h.parts(t, owner, event) {
		for _, n := range []int{3, 2} {
			if got, err := resize(caller, b.ID, seats(n)); err != nil || got.Seats != n {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		if by := h.actor(t, b.ID); by != part {
			t.Errorf("by %s, want %s", by, part)
		}
	}
	_, err := resize(owner, b.ID, seats(5))
	wants(t, err, fault.SeatsExceedCapacity)
	_, err = resize(owner, b.ID, booking.Patch{SeatsMin: new(3)})
	wantsField(t, err, "/seats_min")
	before := h.count(t, "SELECT count(*) FROM ledger")
	for _, same := range []booking.Patch{{}, seats(2), {SeatsMin: new(0)}} {
		if got, err := resize(owner, b.ID, same); err != nil || got.Seats != 2 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if n := h.count(t, "SELECT count(*) FROM ledger"); n != before {
		t.Errorf("asking for what is so left %d entries", n-before)
	}

	// Three wait; the first of them with fewer seats keeps its place, with more it loses it.
	first := h.mustBook(t, waiter, slot.ID, 4)
	h.mustBook(t, h.attendee(t), slot.ID, 4)
	h.mustBook(t, h.attendee(t), slot.ID, 4)
	_, err = resize(owner, b.ID, seats(3))
	wants(t, err, fault.SlotFull)
	if open, said := fault.Of(err).Extra["waitlist_open"].(bool); !said || !open {
		t.Errorf("waitlist_open is %t, said %t", open, said)
	}
	if got, err := resize(waiter, first.ID, seats(3)); err != nil || got.Position != 1 || got.Seats != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := resize(waiter, first.ID, booking.Patch{Seats: new(4), SeatsMin: new(3)}); err != nil || got.Position != 3 || got.SeatsMin != 3 {
		t.Errorf("%+v, %v", got, err)
	}

	late := h.mustBook(t, owner, soon.ID, 2)
	_, err = resize(owner, late.ID, seats(1))
	wants(t, err, fault.CancellationWindowClosed)
	held := h.mustHold(t, h.attendee(t), soon.ID, 1)
	_, err = resize(organizerOf(event), held.ID, seats(2))
	wants(t, err, fault.InvalidTransition)
	h.sound(t)
}

func TestResizeIfMatch(t *testing.T) {
	t.Parallel()
	h := open(t)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	owner := h.attendee(t)
	b := h.mustBook(t, owner, slot.ID, 1)
	ctx := account.WithCaller(t.Context(), owner)
	tag := func() string {
		t.Helper()
		got, err := h.handler.GetBooking(ctx, api.GetBookingRequestObject{BookingID: b.ID})
		if err != nil {
			t.Fatal(err)
		}
		return got.(api.GetBooking200JSONResponse).Headers.ETag
	}
	resize := func(match string, n int) error {
		_, err := h.service.Resize(ctx, owner, b.ID, &match, booking.Patch{Seats: &n})
		return err
	}
	seen := tag()
	wants(t, resize(`"another"`, 2), fault.VersionMismatch)
	wants(t, resize(seen[1:len(seen)-1], 2), fault.VersionMismatch) // without its quotes
	if err := resize(`"another", `+seen, 2); err != nil {
		t.Error(err)
	}
	wants(t, resize(seen, 3), fault.VersionMismatch)
	if err := resize(tag(), 3); err != nil {
		t.Error(err)
	}
	if err := resize(" * ", 4); err != nil {
		t.Error(err)
	}
}
