package booking_test

import (
	"context"
	"slices"
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

// hours are the times of a slot, so many hours from now, one hour long.
func hours(n int) func(*seating.Slot) {
	return testkit.Times(time.Duration(n)*time.Hour, time.Duration(n+1)*time.Hour)
}

func (h env) hold(caller access.Caller, slotID uuid.UUID, seats int) (seating.Booking, error) {
	outcome, err := h.service.Hold(context.Background(), caller, slotID, seats, desk.Submission{})
	return outcome.Result.Booking, err
}

func (h env) mustHold(t *testing.T, caller access.Caller, slotID uuid.UUID, seats int) seating.Booking {
	t.Helper()
	b, err := h.hold(caller, slotID, seats)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (h env) confirm(caller access.Caller, id uuid.UUID) (seating.Booking, error) {
	outcome, err := h.service.Confirm(context.Background(), caller, id, desk.Submission{})
	return outcome.Result.Booking, err
}

func (h env) move(caller access.Caller, id, toSlotID uuid.UUID) (seating.Booking, error) {
	outcome, err := h.service.Move(context.Background(), caller, id, toSlotID, desk.Submission{})
	return outcome.Result.Booking, err
}

// upgrade is the caller waiting for a seat that replaces a booking of theirs.
func (h env) upgrade(caller access.Caller, slotID, replaces uuid.UUID) (seating.Booking, error) {
	outcome, err := h.service.Book(context.Background(), caller,
		booking.Request{SlotID: slotID, Seats: 1, IfFull: seating.Wait, Replaces: replaces}, desk.Submission{})
	return outcome.Result.Booking, err
}

// expire makes a hold or an offer due.
func (h env) expire(t *testing.T, id uuid.UUID) {
	t.Helper()
	const due = "UPDATE bookings SET expires_at = clock_timestamp() WHERE id = $1 AND status IN ('held', 'offered')"
	testkit.Exec(t, h.pool, due, id)
}

func (h env) status(t *testing.T, id uuid.UUID) (status seating.Status) {
	t.Helper()
	if err := h.pool.QueryRow(context.Background(), "SELECT status FROM bookings WHERE id = $1", id).Scan(&status); err != nil {
		t.Fatal(err)
	}
	return status
}

// actor is who did what to a booking last, by the ledger.
func (h env) actor(t *testing.T, id uuid.UUID) (actor seating.ActorRole) {
	t.Helper()
	err := h.pool.QueryRow(context.Background(),
		"SELECT actor FROM ledger WHERE booking_id = $1 ORDER BY version DESC LIMIT 1", id).Scan(&actor)
	if err != nil {
		t.Fatal(err)
	}
	return actor
}

// wantsField fails the test unless err is a validation error of these places.
func wantsField(t *testing.T, err error, pointers ...string) {
	t.Helper()
	wants(t, err, fault.ValidationFailed)
	var got []string
	if f := fault.Of(err); f != nil {
		for _, field := range f.Fields {
			got = append(got, field.Pointer)
		}
	}
	if !slices.Equal(got, pointers) {
		t.Errorf("points at %v, want %v", got, pointers)
	}
}

// parts are everybody who may act on an attendee's booking, and as what.
func (h env) parts(t *testing.T, owner access.Caller, event db.Event) map[seating.ActorRole]access.Caller {
	t.Helper()
	return map[seating.ActorRole]access.Caller{
		seating.ActorAttendee: owner, seating.ActorOrganizer: organizerOf(event),
		seating.ActorAdmin: testkit.User(t, h.pool, access.Admin),
	}
}

// strangers are everybody else: for them the booking does not exist.
func (h env) strangers(t *testing.T) []access.Caller {
	t.Helper()
	return []access.Caller{h.attendee(t), testkit.User(t, h.pool, access.Organizer)}
}

func TestHoldAndConfirm(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool)
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(4))
	owner := h.attendee(t)
	b := h.mustHold(t, owner, slot.ID, 2)
	if b.Status != seating.Held || b.Seats != 2 || b.ID.Version() != 7 || b.ExpiresAt.IsZero() {
		t.Errorf("got %+v", b)
	}
	_, err := h.hold(owner, slot.ID, 1)
	wants(t, err, fault.AlreadyBooked)
	_, err = h.hold(h.attendee(t), slot.ID, 3)
	wants(t, err, fault.SlotFull)
	_, err = h.hold(owner, uuid.New(), 1)
	wants(t, err, fault.NotFound)
	for _, stranger := range h.strangers(t) {
		_, err = h.confirm(stranger, b.ID)
		wants(t, err, fault.NotFound)
	}
	for range 2 {
		if got, err := h.confirm(owner, b.ID); err != nil || got.Status != seating.Confirmed || got.ID != b.ID {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if n := h.count(t, "SELECT count(*) FROM ledger WHERE booking_id = $1", b.ID); n != 2 {
		t.Errorf("%d entries", n)
	}

	late := h.mustHold(t, h.attendee(t), slot.ID, 1)
	h.expire(t, late.ID)
	_, err = h.confirm(organizerOf(event), late.ID)
	wants(t, err, fault.HoldExpired)
	h.mustBook(t, h.attendee(t), slot.ID, 2) // the seats are free again
	waiting := h.attendee(t)
	_, err = h.confirm(waiting, h.mustBook(t, waiting, slot.ID, 1).ID)
	wants(t, err, fault.InvalidTransition)
	testkit.Sound(t, h.pool)
}

// A user holds 20 seats at most, in all slots together.
func TestHoldLimit(t *testing.T) {
	t.Parallel()
	h := open(t)
	event, owner := testkit.Event(t, h.pool), h.attendee(t)
	one := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(30), hours(10))
	two := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(30), hours(20))
	first := h.mustHold(t, owner, one.ID, 19)
	_, err := h.hold(owner, two.ID, 2)
	wants(t, err, fault.HoldLimit)
	if f := fault.Of(err); f != nil && (*f.Members.Held != 19 || *f.Members.Limit != 20) {
		t.Errorf("members %v", f.Members)
	}
	if _, err := h.cancel(owner, first.ID, ""); err != nil {
		t.Fatal(err)
	}
	h.mustHold(t, owner, two.ID, 20)
	testkit.Sound(t, h.pool)
}

func TestConfirmByWhom(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool)
	slot := testkit.Slot(t, h.pool, event.ID)
	owner := h.attendee(t)
	for part, caller := range h.parts(t, owner, event) {
		b := h.mustHold(t, owner, slot.ID, 1)
		if _, err := h.confirm(caller, b.ID); err != nil {
			t.Fatal(err)
		}
		if by := h.actor(t, b.ID); by != part {
			t.Errorf("by %s, want %s", by, part)
		}
		if _, err := h.cancel(owner, b.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBookWithFewerSeats(t *testing.T) {
	t.Parallel()
	h := open(t)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(3))
	wish := booking.Request{SlotID: slot.ID, Seats: 2, SeatsMin: 3}
	_, err := h.service.Book(t.Context(), h.attendee(t), wish, desk.Submission{})
	wantsField(t, err, "/seats_min")
	h.mustBook(t, h.attendee(t), slot.ID, 1)
	wish.Seats, wish.SeatsMin = 3, 2
	outcome, err := h.service.Book(t.Context(), h.attendee(t), wish, desk.Submission{})
	if b := outcome.Result.Booking; err != nil || b.Seats != 2 || b.Status != seating.Confirmed {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestUpgrade(t *testing.T) {
	t.Parallel()
	h := open(t)
	event, owner := testkit.Event(t, h.pool), h.attendee(t)
	gallery := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1)) // at the same time
	stalls := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1))
	rival := h.attendee(t)
	theirs := h.mustBook(t, rival, stalls.ID, 1)
	mine := h.mustBook(t, owner, gallery.ID, 1)
	next := h.attendee(t)
	waits := h.mustBook(t, next, gallery.ID, 1)

	for name, replaces := range map[string]uuid.UUID{"nobody's": uuid.New(), "somebody's": theirs.ID} {
		t.Run(name, func(t *testing.T) {
			_, err := h.upgrade(owner, stalls.ID, replaces)
			wantsField(t, err, "/replaces_booking_id")
		})
	}
	t.Run("the event's organizer replaces nobody else's", func(t *testing.T) {
		_, err := h.upgrade(organizerOf(event), stalls.ID, mine.ID)
		wantsField(t, err, "/replaces_booking_id")
	})
	t.Run("without seats", func(t *testing.T) {
		_, err := h.upgrade(next, stalls.ID, waits.ID)
		wantsField(t, err, "/replaces_booking_id")
	})

	wish, err := h.upgrade(owner, stalls.ID, mine.ID)
	if err != nil || wish.Status != seating.Waitlisted || wish.Replaces != mine.ID {
		t.Fatalf("%+v, %v", wish, err)
	}
	p, err := h.service.Preview(t.Context(), rival, theirs.ID)
	if err != nil || p.WouldPromote != 1 { // also with a second slot
		t.Errorf("preview %+v, %v", p, err)
	}
	if _, err := h.cancel(rival, theirs.ID, ""); err != nil {
		t.Fatal(err)
	}
	h.settle(t)
	for id, want := range map[uuid.UUID]seating.Status{wish.ID: seating.Confirmed, mine.ID: seating.Cancelled, waits.ID: seating.Confirmed} {
		if got := h.status(t, id); got != want {
			t.Errorf("booking is %s, want %s", got, want)
		}
	}
	testkit.Sound(t, h.pool)
}

func TestMove(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool, func(e *db.Event) { e.CancellationClosesMinutes = 60 * 24 })
	soon := testkit.Slot(t, h.pool, event.ID, hours(10))
	one := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1), hours(100))
	two := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1), hours(100)) // the same time
	elsewhere := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, hours(200))
	owner, next := h.attendee(t), h.attendee(t)

	old := h.mustBook(t, owner, one.ID, 1)
	waits := h.mustBook(t, next, one.ID, 1)
	for _, stranger := range h.strangers(t) {
		_, err := h.move(stranger, old.ID, two.ID)
		wants(t, err, fault.NotFound)
	}
	for name, to := range map[string]uuid.UUID{"another event": elsewhere.ID, "itself": one.ID, "nowhere": uuid.New()} {
		t.Run("to "+name, func(t *testing.T) {
			_, err := h.move(owner, old.ID, to)
			wantsField(t, err, "/slot_id")
		})
	}
	_, err := h.move(next, waits.ID, two.ID)
	wants(t, err, fault.InvalidTransition)

	moved, err := h.move(owner, old.ID, two.ID)
	if err != nil || moved.MovedFrom != old.ID || moved.SlotID != two.ID || moved.Status != seating.Confirmed || moved.ID.Version() != 7 {
		t.Fatalf("%+v, %v", moved, err)
	}
	h.settle(t)
	if s := h.status(t, waits.ID); s != seating.Confirmed {
		t.Errorf("who waited for the seat is %s", s)
	}
	_, err = h.move(next, waits.ID, two.ID)
	wants(t, err, fault.SlotFull)
	if s := h.status(t, waits.ID); s != seating.Confirmed {
		t.Errorf("after a refused move the booking is %s", s)
	}

	t.Run("too late for the attendee, not for who manages", func(t *testing.T) {
		for part, caller := range h.parts(t, h.attendee(t), event) {
			late := h.mustBook(t, h.attendee(t), soon.ID, 1)
			if part == seating.ActorAttendee {
				_, err := h.move(testkit.Caller(late.UserID, access.Attendee), late.ID, two.ID)
				wants(t, err, fault.CancellationWindowClosed)
				continue
			}
			to := testkit.Slot(t, h.pool, event.ID, hours(300))
			b, err := h.move(caller, late.ID, to.ID)
			if err != nil || b.UserID != late.UserID {
				t.Fatalf("%+v, %v", b, err)
			}
			if by := h.actor(t, b.ID); by != part {
				t.Errorf("by %s, want %s", by, part)
			}
		}
	})
	testkit.Sound(t, h.pool)
}

func TestBundle(t *testing.T) {
	t.Parallel()
	h := open(t)
	event, owner := testkit.Event(t, h.pool), h.attendee(t)
	one := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(2), hours(10))
	two := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, hours(20))
	same := testkit.Slot(t, h.pool, event.ID, hours(20))
	bundle := func(items ...booking.Item) (seating.Result, error) {
		outcome, err := h.service.Bundle(t.Context(), owner, items, desk.Submission{})
		return outcome.Result, err
	}
	_, err := bundle(booking.Item{one.ID, 1}, booking.Item{two.ID, 1}, booking.Item{one.ID, 1}, booking.Item{two.ID, 2})
	wantsField(t, err, "/items/2/slot_id", "/items/3/slot_id")
	_, err = bundle(booking.Item{two.ID, 1}, booking.Item{same.ID, 1})
	wants(t, err, fault.BookingOverlap)
	_, err = bundle(booking.Item{two.ID, 1}, booking.Item{uuid.New(), 1})
	wants(t, err, fault.NotFound)
	_, err = bundle(booking.Item{two.ID, 1}, booking.Item{one.ID, 3})
	wants(t, err, fault.SeatsExceedCapacity)
	h.mustBook(t, h.attendee(t), one.ID, 1)
	_, err = bundle(booking.Item{two.ID, 1}, booking.Item{one.ID, 2})
	wants(t, err, fault.SlotFull)
	if f := fault.Of(err); f != nil && (*f.Members.Item != 1 || *f.Members.SlotID != one.ID) {
		t.Errorf("members %v", f.Members)
	}
	if n := h.count(t, "SELECT count(*) FROM bookings WHERE user_id = $1", owner.UserID); n != 0 {
		t.Errorf("refused bundles left %d bookings", n)
	}
	r, err := bundle(booking.Item{two.ID, 3}, booking.Item{one.ID, 1})
	if err != nil || len(r.Items) != 2 || r.Items[0].Booking.SlotID != two.ID || r.Items[0].Booking.Seats != 3 || r.Items[1].Booking.Status != seating.Confirmed {
		t.Errorf("%+v, %v", r.Items, err)
	}
	testkit.Sound(t, h.pool)
}

func TestCheckIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	event, owner := testkit.Event(t, h.pool), h.attendee(t)
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1))
	b := h.mustBook(t, owner, slot.ID, 1)
	waits := h.mustBook(t, h.attendee(t), slot.ID, 1)
	for _, caller := range h.strangers(t) {
		_, err := h.service.CheckIn(t.Context(), caller, b.ID, desk.Submission{})
		wants(t, err, fault.NotFound)
	}
	_, err := h.service.UndoCheckIn(t.Context(), owner, b.ID, desk.Submission{})
	wants(t, err, fault.NotPermitted)
	_, err = h.service.CheckIn(t.Context(), organizerOf(event), uuid.New(), desk.Submission{})
	wants(t, err, fault.NotFound)
	_, err = h.service.CheckIn(t.Context(), organizerOf(event), waits.ID, desk.Submission{})
	wants(t, err, fault.InvalidTransition)

	first, err := h.service.CheckIn(t.Context(), organizerOf(event), b.ID, desk.Submission{})
	if err != nil || first.Result.Booking.CheckedInAt.IsZero() || h.actor(t, b.ID) != seating.ActorOrganizer {
		t.Fatalf("%+v, %v", first.Result.Booking, err)
	}
	admin := testkit.User(t, h.pool, access.Admin)
	again, err := h.service.CheckIn(t.Context(), admin, b.ID, desk.Submission{})
	if err != nil || !again.Result.Booking.CheckedInAt.Equal(first.Result.Booking.CheckedInAt) {
		t.Errorf("%+v, %v", again.Result.Booking, err)
	}
	undone, err := h.service.UndoCheckIn(t.Context(), admin, b.ID, desk.Submission{})
	if err != nil || !undone.Result.Booking.CheckedInAt.IsZero() || h.actor(t, b.ID) != seating.ActorAdmin {
		t.Errorf("%+v, %v", undone.Result.Booking, err)
	}
	testkit.Sound(t, h.pool)
}

// An administrator who checks themselves in at another's event is an attendee there.
func TestCheckInOfOneselfIsRecordedAsTheAttendees(t *testing.T) {
	t.Parallel()
	h := open(t)
	admin := testkit.User(t, h.pool, access.Admin)
	b := h.mustBook(t, admin, testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID).ID, 1)
	if _, err := h.service.CheckIn(t.Context(), admin, b.ID, desk.Submission{}); err != nil {
		t.Fatal(err)
	}
	if by := h.actor(t, b.ID); by != seating.ActorAttendee {
		t.Errorf("by %s", by)
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	h := open(t)
	event := testkit.Event(t, h.pool, func(e *db.Event) { e.CancellationClosesMinutes = 60 })
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(3))
	soon := testkit.Slot(t, h.pool, event.ID, testkit.Times(30*time.Minute, time.Hour))
	owner, waiter := h.attendee(t), h.attendee(t)
	b := h.mustBook(t, owner, slot.ID, 3)
	waits := h.mustBook(t, waiter, slot.ID, 1)
	h.mustBook(t, h.attendee(t), slot.ID, 2)
	h.mustBook(t, h.attendee(t), slot.ID, 1)
	late := h.mustBook(t, owner, soon.ID, 2)
	version := int64(h.count(t, "SELECT version FROM slots WHERE id = $1", slot.ID))

	preview := func(caller access.Caller, id uuid.UUID) booking.Preview {
		t.Helper()
		p, err := h.service.Preview(t.Context(), caller, id)
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
	for _, stranger := range h.strangers(t) {
		_, err := h.service.Preview(t.Context(), stranger, b.ID)
		wants(t, err, fault.NotFound)
	}
	if n := h.count(t, "SELECT version FROM slots WHERE id = $1", slot.ID); int64(n) != version {
		t.Error("looking changed something")
	}

	held := h.mustHold(t, h.attendee(t), soon.ID, 1)
	h.expire(t, held.ID)
	if p := preview(testkit.Caller(held.UserID, access.Attendee), held.ID); p.Refusal == nil || p.Refusal.Code != fault.InvalidTransition {
		t.Errorf("expired: %+v", p)
	}
	if _, err := h.cancel(owner, b.ID, ""); err != nil {
		t.Fatal(err)
	}
	// Who is due to be promoted anyway is no consequence.
	if p := preview(owner, b.ID); p.Refusal != nil || p.SeatsFreed != 0 || p.WouldPromote != 0 {
		t.Errorf("cancelled already: %+v", p)
	}
}
