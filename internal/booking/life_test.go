package booking_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/booking"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

func TestHoldIsConfirmedByItsOwnerUntilItExpires(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(4))
	owner := e.attendee(t)
	b := e.mustHold(t, owner, slot.ID, 2)
	if b.Status != seating.Held || b.Seats != 2 || b.ID.Version() != 7 || b.ExpiresAt.IsZero() {
		t.Errorf("got %+v", b)
	}
	_, err := e.hold(owner, slot.ID, 1)
	wantFault(t, err, fault.AlreadyBooked)
	_, err = e.hold(e.attendee(t), slot.ID, 3)
	wantFault(t, err, fault.SlotFull)
	_, err = e.hold(owner, uuid.New(), 1)
	wantFault(t, err, fault.NotFound)
	for _, stranger := range e.strangers(t) {
		_, err = e.confirm(stranger, b.ID)
		wantFault(t, err, fault.NotFound)
	}
	for range 2 {
		if got, err := e.confirm(owner, b.ID); err != nil || got.Status != seating.Confirmed || got.ID != b.ID {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if n := e.count(t, "SELECT count(*) FROM ledger WHERE booking_id = $1", b.ID); n != 2 {
		t.Errorf("%d entries", n)
	}

	late := e.mustHold(t, e.attendee(t), slot.ID, 1)
	e.expire(t, late.ID)
	_, err = e.confirm(organizerOf(event), late.ID)
	wantFault(t, err, fault.HoldExpired)
	e.mustBook(t, e.attendee(t), slot.ID, 2) // the seats are free again
	waiting := e.attendee(t)
	_, err = e.confirm(waiting, e.mustBook(t, waiting, slot.ID, 1).ID)
	wantFault(t, err, fault.InvalidTransition)
	testkit.Sound(t, e.pool)
}

func TestUserHoldsAtMost20SeatsInAllSlots(t *testing.T) {
	t.Parallel()
	e := open(t)
	event, owner := testkit.Event(t, e.pool), e.attendee(t)
	one := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(30), hours(10))
	two := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(30), hours(20))
	first := e.mustHold(t, owner, one.ID, 19)
	_, err := e.hold(owner, two.ID, 2)
	wantFault(t, err, fault.HoldLimit)
	if f := fault.Of(err); f != nil && (*f.Members.Held != 19 || *f.Members.Limit != 20) {
		t.Errorf("members %v", f.Members)
	}
	if _, err := e.cancel(owner, first.ID, ""); err != nil {
		t.Fatal(err)
	}
	e.mustHold(t, owner, two.ID, 20)
	testkit.Sound(t, e.pool)
}

func TestConfirmRecordsInWhichRole(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID)
	owner := e.attendee(t)
	for role, caller := range e.actors(t, owner, event) {
		b := e.mustHold(t, owner, slot.ID, 1)
		if _, err := e.confirm(caller, b.ID); err != nil {
			t.Fatal(err)
		}
		if actor := e.actor(t, b.ID); actor != role {
			t.Errorf("recorded %s, want %s", actor, role)
		}
		if _, err := e.cancel(owner, b.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBookAcceptsFewerSeatsDownToSeatsMin(t *testing.T) {
	t.Parallel()
	e := open(t)
	slot := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, testkit.Capacity(3))
	request := booking.Request{SlotID: slot.ID, Seats: 2, SeatsMin: 3}
	_, err := e.service.Book(t.Context(), e.attendee(t), request, desk.Submission{})
	wantFields(t, err, "/seats_min")
	e.mustBook(t, e.attendee(t), slot.ID, 1)
	request.Seats, request.SeatsMin = 3, 2
	outcome, err := e.service.Book(t.Context(), e.attendee(t), request, desk.Submission{})
	if b := outcome.Result.Booking; err != nil || b.Seats != 2 || b.Status != seating.Confirmed {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestUpgradeReplacesOnlyTheCallersOwnSeats(t *testing.T) {
	t.Parallel()
	e := open(t)
	event, owner := testkit.Event(t, e.pool), e.attendee(t)
	old := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1)) // at the same time
	better := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1))
	rival := e.attendee(t)
	theirs := e.mustBook(t, rival, better.ID, 1)
	mine := e.mustBook(t, owner, old.ID, 1)
	next := e.attendee(t)
	waits := e.mustBook(t, next, old.ID, 1)

	for name, replaces := range map[string]uuid.UUID{"nobody's": uuid.New(), "somebody's": theirs.ID} {
		t.Run(name, func(t *testing.T) {
			_, err := e.upgrade(owner, better.ID, replaces)
			wantFields(t, err, "/replaces_booking_id")
		})
	}
	t.Run("the event's organizer replaces nobody else's", func(t *testing.T) {
		_, err := e.upgrade(organizerOf(event), better.ID, mine.ID)
		wantFields(t, err, "/replaces_booking_id")
	})
	t.Run("without seats", func(t *testing.T) {
		_, err := e.upgrade(next, better.ID, waits.ID)
		wantFields(t, err, "/replaces_booking_id")
	})

	upgrade, err := e.upgrade(owner, better.ID, mine.ID)
	if err != nil || upgrade.Status != seating.Waitlisted || upgrade.Replaces != mine.ID {
		t.Fatalf("%+v, %v", upgrade, err)
	}
	p, err := e.service.Preview(t.Context(), rival, theirs.ID)
	if err != nil || p.WouldPromote != 1 { // also with a second slot
		t.Errorf("preview %+v, %v", p, err)
	}
	if _, err := e.cancel(rival, theirs.ID, ""); err != nil {
		t.Fatal(err)
	}
	e.settle(t)
	for id, want := range map[uuid.UUID]seating.Status{upgrade.ID: seating.Confirmed, mine.ID: seating.Cancelled, waits.ID: seating.Confirmed} {
		if got := e.status(t, id); got != want {
			t.Errorf("booking is %s, want %s", got, want)
		}
	}
	testkit.Sound(t, e.pool)
}

func TestMoveIsRefusedOrGivesTheOldSeatsBack(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.CancellationClosesMinutes = 60 * 24 })
	soon := testkit.Slot(t, e.pool, event.ID, hours(10))
	one := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1), hours(100))
	two := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1), hours(100)) // the same time
	elsewhere := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, hours(200))
	owner, next := e.attendee(t), e.attendee(t)

	old := e.mustBook(t, owner, one.ID, 1)
	waits := e.mustBook(t, next, one.ID, 1)
	for _, stranger := range e.strangers(t) {
		_, err := e.move(stranger, old.ID, two.ID)
		wantFault(t, err, fault.NotFound)
	}
	for name, to := range map[string]uuid.UUID{"another event": elsewhere.ID, "itself": one.ID, "nowhere": uuid.New()} {
		t.Run("to "+name, func(t *testing.T) {
			_, err := e.move(owner, old.ID, to)
			wantFields(t, err, "/slot_id")
		})
	}
	_, err := e.move(next, waits.ID, two.ID)
	wantFault(t, err, fault.InvalidTransition)

	moved, err := e.move(owner, old.ID, two.ID)
	if err != nil || moved.MovedFrom != old.ID || moved.SlotID != two.ID || moved.Status != seating.Confirmed || moved.ID.Version() != 7 {
		t.Fatalf("%+v, %v", moved, err)
	}
	e.settle(t)
	if s := e.status(t, waits.ID); s != seating.Confirmed {
		t.Errorf("the booking that waited for the seat is %s", s)
	}
	_, err = e.move(next, waits.ID, two.ID)
	wantFault(t, err, fault.SlotFull)
	if s := e.status(t, waits.ID); s != seating.Confirmed {
		t.Errorf("after a refused move the booking is %s", s)
	}

	t.Run("too late for the attendee, not for managers", func(t *testing.T) {
		for role, caller := range e.actors(t, e.attendee(t), event) {
			late := e.mustBook(t, e.attendee(t), soon.ID, 1)
			if role == seating.ActorAttendee {
				_, err := e.move(testkit.Caller(late.UserID, access.Attendee), late.ID, two.ID)
				wantFault(t, err, fault.CancellationWindowClosed)
				continue
			}
			to := testkit.Slot(t, e.pool, event.ID, hours(300))
			b, err := e.move(caller, late.ID, to.ID)
			if err != nil || b.UserID != late.UserID {
				t.Fatalf("%+v, %v", b, err)
			}
			if actor := e.actor(t, b.ID); actor != role {
				t.Errorf("recorded %s, want %s", actor, role)
			}
		}
	})
	testkit.Sound(t, e.pool)
}

func TestBundleBooksAllItemsOrNone(t *testing.T) {
	t.Parallel()
	e := open(t)
	event, owner := testkit.Event(t, e.pool), e.attendee(t)
	one := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(2), hours(10))
	two := testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID, hours(20))
	same := testkit.Slot(t, e.pool, event.ID, hours(20))
	bundle := func(items ...booking.Item) (seating.Result, error) {
		outcome, err := e.service.Bundle(t.Context(), owner, items, desk.Submission{})
		return outcome.Result, err
	}
	_, err := bundle(booking.Item{one.ID, 1}, booking.Item{two.ID, 1}, booking.Item{one.ID, 1}, booking.Item{two.ID, 2})
	wantFields(t, err, "/items/2/slot_id", "/items/3/slot_id")
	_, err = bundle(booking.Item{two.ID, 1}, booking.Item{same.ID, 1})
	wantFault(t, err, fault.BookingOverlap)
	_, err = bundle(booking.Item{two.ID, 1}, booking.Item{uuid.New(), 1})
	wantFault(t, err, fault.NotFound)
	_, err = bundle(booking.Item{two.ID, 1}, booking.Item{one.ID, 3})
	wantFault(t, err, fault.SeatsExceedCapacity)
	e.mustBook(t, e.attendee(t), one.ID, 1)
	_, err = bundle(booking.Item{two.ID, 1}, booking.Item{one.ID, 2})
	wantFault(t, err, fault.SlotFull)
	if f := fault.Of(err); f != nil && (*f.Members.Item != 1 || *f.Members.SlotID != one.ID) {
		t.Errorf("members %v", f.Members)
	}
	if n := e.count(t, "SELECT count(*) FROM bookings WHERE user_id = $1", owner.UserID); n != 0 {
		t.Errorf("refused bundles left %d bookings", n)
	}
	r, err := bundle(booking.Item{two.ID, 3}, booking.Item{one.ID, 1})
	if err != nil || len(r.Items) != 2 || r.Items[0].Booking.SlotID != two.ID || r.Items[0].Booking.Seats != 3 || r.Items[1].Booking.Status != seating.Confirmed {
		t.Errorf("%+v, %v", r.Items, err)
	}
	testkit.Sound(t, e.pool)
}

func TestManagersCheckInAndUndoIt(t *testing.T) {
	t.Parallel()
	e := open(t)
	event, owner := testkit.Event(t, e.pool), e.attendee(t)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1))
	b := e.mustBook(t, owner, slot.ID, 1)
	waits := e.mustBook(t, e.attendee(t), slot.ID, 1)
	for _, caller := range e.strangers(t) {
		_, err := e.service.CheckIn(t.Context(), caller, b.ID, desk.Submission{})
		wantFault(t, err, fault.NotFound)
	}
	_, err := e.service.UndoCheckIn(t.Context(), owner, b.ID, desk.Submission{})
	wantFault(t, err, fault.NotPermitted)
	_, err = e.service.CheckIn(t.Context(), organizerOf(event), uuid.New(), desk.Submission{})
	wantFault(t, err, fault.NotFound)
	_, err = e.service.CheckIn(t.Context(), organizerOf(event), waits.ID, desk.Submission{})
	wantFault(t, err, fault.InvalidTransition)

	first, err := e.service.CheckIn(t.Context(), organizerOf(event), b.ID, desk.Submission{})
	if err != nil || first.Result.Booking.CheckedInAt.IsZero() || first.Result.Repeated || e.actor(t, b.ID) != seating.ActorOrganizer {
		t.Fatalf("%+v, %v", first.Result.Booking, err)
	}
	admin := testkit.User(t, e.pool, access.Admin)
	again, err := e.service.CheckIn(t.Context(), admin, b.ID, desk.Submission{})
	if err != nil || !again.Result.Booking.CheckedInAt.Equal(first.Result.Booking.CheckedInAt) ||
		!again.Result.Repeated || again.Result.Booking.CheckedInBy != event.OrganizerID {
		t.Errorf("%+v, %v", again.Result.Booking, err)
	}
	undone, err := e.service.UndoCheckIn(t.Context(), admin, b.ID, desk.Submission{})
	if err != nil || !undone.Result.Booking.CheckedInAt.IsZero() || e.actor(t, b.ID) != seating.ActorAdmin {
		t.Errorf("%+v, %v", undone.Result.Booking, err)
	}
	third, err := e.service.CheckIn(t.Context(), admin, b.ID, desk.Submission{})
	if err != nil || third.Result.Repeated || third.Result.Booking.CheckedInBy != admin.UserID {
		t.Errorf("after undoing it: %+v, %v", third.Result, err)
	}
	testkit.Sound(t, e.pool)
}

// An administrator who checks in their own booking at another's event.
func TestAdministratorsCheckInOfTheirOwnBookingIsRecordedAsAttendee(t *testing.T) {
	t.Parallel()
	e := open(t)
	admin := testkit.User(t, e.pool, access.Admin)
	b := e.mustBook(t, admin, testkit.Slot(t, e.pool, testkit.Event(t, e.pool).ID).ID, 1)
	if _, err := e.service.CheckIn(t.Context(), admin, b.ID, desk.Submission{}); err != nil {
		t.Fatal(err)
	}
	if actor := e.actor(t, b.ID); actor != seating.ActorAttendee {
		t.Errorf("recorded %s", actor)
	}
}

func TestPreviewTellsWhatACancellationWouldDo(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.CancellationClosesMinutes = 60 })
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(3))
	soon := testkit.Slot(t, e.pool, event.ID, testkit.Times(30*time.Minute, time.Hour))
	owner, waiter := e.attendee(t), e.attendee(t)
	b := e.mustBook(t, owner, slot.ID, 3)
	waits := e.mustBook(t, waiter, slot.ID, 1)
	e.mustBook(t, e.attendee(t), slot.ID, 2)
	e.mustBook(t, e.attendee(t), slot.ID, 1)
	late := e.mustBook(t, owner, soon.ID, 2)
	version := int64(e.count(t, "SELECT version FROM slots WHERE id = $1", slot.ID))

	preview := func(caller access.Caller, id uuid.UUID) booking.Preview {
		t.Helper()
		p, err := e.service.Preview(t.Context(), caller, id)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	closes := slot.StartsAt.Add(-time.Hour)
	if p := preview(owner, b.ID); p.Refusal != nil || p.SeatsFreed != 3 || p.WouldPromote != 2 || !p.ClosesAt.Equal(closes) || p.SlotVersion != version || p.BookingID != b.ID {
		t.Errorf("own: %+v", p)
	}
	if p := preview(organizerOf(event), b.ID); p.Refusal != nil || p.WouldPromote != 2 || !p.ClosesAt.IsZero() {
		t.Errorf("organizer's: %+v", p)
	}
	if p := preview(waiter, waits.ID); p.Refusal != nil || p.SeatsFreed != 0 || p.WouldPromote != 0 || !p.ClosesAt.IsZero() {
		t.Errorf("waiting: %+v", p)
	}
	if p := preview(owner, late.ID); p.Refusal == nil || p.Refusal.Code != fault.CancellationWindowClosed || p.SeatsFreed != 0 || p.ClosesAt.IsZero() {
		t.Errorf("too late: %+v", p)
	}
	if p := preview(organizerOf(event), late.ID); p.Refusal != nil || p.SeatsFreed != 2 {
		t.Errorf("too late for the attendee only: %+v", p)
	}
	for _, stranger := range e.strangers(t) {
		_, err := e.service.Preview(t.Context(), stranger, b.ID)
		wantFault(t, err, fault.NotFound)
	}
	if n := e.count(t, "SELECT version FROM slots WHERE id = $1", slot.ID); int64(n) != version {
		t.Error("a preview changed something")
	}

	held := e.mustHold(t, e.attendee(t), soon.ID, 1)
	e.expire(t, held.ID)
	if p := preview(testkit.Caller(held.UserID, access.Attendee), held.ID); p.Refusal == nil || p.Refusal.Code != fault.InvalidTransition {
		t.Errorf("expired: %+v", p)
	}
	if _, err := e.cancel(owner, b.ID, ""); err != nil {
		t.Fatal(err)
	}
	// A promotion that is due anyway is no consequence.
	if p := preview(owner, b.ID); p.Refusal != nil || p.SeatsFreed != 0 || p.WouldPromote != 0 {
		t.Errorf("cancelled already: %+v", p)
	}
}
