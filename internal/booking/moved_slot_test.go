package booking_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// moveSlot gives a slot other times, so many hours from now, and returns it.
func (e env) moveSlot(t *testing.T, event db.Event, slotID uuid.UUID, starts, ends time.Duration) seating.Slot {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	outcome, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.EditSlot{
		SlotID: slotID, StartsAt: new(now.Add(starts)), EndsAt: new(now.Add(ends)),
		By: seating.Actor{Role: seating.ActorOrganizer, ID: event.OrganizerID},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return outcome.Result.Slot
}

func (e env) get(t *testing.T, caller access.Caller, id uuid.UUID) seating.Booking {
	t.Helper()
	b, err := e.service.Get(t.Context(), caller, id)
	if err != nil {
		t.Fatal(err)
	}
	return b.Booking.Booking
}

// history are the entries of a booking's history, by kind and version.
func (e env) history(t *testing.T, caller access.Caller, id uuid.UUID) (entries []db.Ledger, text string) {
	t.Helper()
	history, err := e.service.History(t.Context(), caller, id, page.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range history.Items {
		text += fmt.Sprintf("%s %d ", entry.Kind, entry.Version)
	}
	return history.Items, text
}

// A change of a slot's times is seen by all who have a live booking of it: in the
// booking's version, in when it changed, and in its history, with the times.
func TestMovedSlotIsSeenByItsAttendees(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(2))
	gone, seated, waits, late := e.attendee(t), e.attendee(t), e.attendee(t), e.attendee(t)
	ended := e.mustBook(t, gone, slot.ID, 1)
	confirmed := e.mustBook(t, seated, slot.ID, 2-1)
	if _, err := e.cancel(gone, ended.ID, ""); err != nil {
		t.Fatal(err)
	}
	waiting := e.mustBook(t, waits, slot.ID, 2) // version 5
	moved := e.moveSlot(t, event, slot.ID, 48*time.Hour, 50*time.Hour)
	if moved.Version != 6 {
		t.Fatalf("the move is entry %d", moved.Version)
	}
	newcomer := e.mustBook(t, late, slot.ID, 2)

	for caller, before := range map[*access.Caller]seating.Booking{&seated: confirmed, &waits: waiting} {
		b := e.get(t, *caller, before.ID)
		if b.Version != moved.Version || !b.UpdatedAt.After(before.UpdatedAt) || !b.StartsAt.Equal(moved.StartsAt) {
			t.Errorf("%s: %+v", b.Status, b)
		}
	}
	if b := e.get(t, gone, ended.ID); b.Version != 4 {
		t.Errorf("a booking that has ended was moved: %+v", b)
	}
	for _, c := range []struct {
		caller access.Caller
		id     uuid.UUID
		want   string
	}{
		{gone, ended.ID, "confirmed 2 cancelled 4 "}, {seated, confirmed.ID, "confirmed 3 edited 6 "},
		{waits, waiting.ID, "waitlisted 5 edited 6 "}, {late, newcomer.ID, "waitlisted 7 "},
	} {
		entries, got := e.history(t, c.caller, c.id)
		if got != c.want {
			t.Errorf("the history is %s, want %s", got, c.want)
		}
		for _, entry := range entries {
			if isMove := entry.Kind == "edited"; isMove != (entry.NewStartsAt != nil) || isMove &&
				(!entry.OldStartsAt.Equal(slot.StartsAt) || !entry.OldEndsAt.Equal(slot.EndsAt) ||
					!entry.NewStartsAt.Equal(moved.StartsAt) || !entry.NewEndsAt.Equal(moved.EndsAt) || entry.ActorID != nil) {
				t.Errorf("%+v", entry)
			}
		}
	}
	testkit.Sound(t, e.pool)
}

// A booking goes on from the version of its slot's move: it can be edited, answered,
// moved again and cancelled.
func TestBookingsLiveOnAfterTheirSlotMoved(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(3))
	one, two, three := e.attendee(t), e.attendee(t), e.attendee(t)
	held, shortHeld := e.mustHold(t, one, slot.ID, 1), e.mustHold(t, two, slot.ID, 1)
	confirmed := e.mustBook(t, three, slot.ID, 1)
	e.moveSlot(t, event, slot.ID, 30*time.Hour, 31*time.Hour)
	if _, err := e.confirm(one, held.ID); err != nil {
		t.Error(err)
	}
	early := e.moveSlot(t, event, slot.ID, 2*time.Minute, time.Hour) // before the hold ends
	if b := e.get(t, two, shortHeld.ID); !b.ExpiresAt.Equal(early.StartsAt) || b.Version != early.Version {
		t.Errorf("held until %v at version %d", b.ExpiresAt, b.Version)
	}
	if _, got := e.history(t, two, shortHeld.ID); got != "held 3 edited 5 edited 7 edited 8 " {
		t.Errorf("the history is %s", got)
	}
	if _, err := e.confirm(two, shortHeld.ID); err != nil {
		t.Error(err)
	}
	for caller, id := range map[*access.Caller]uuid.UUID{&one: held.ID, &two: shortHeld.ID, &three: confirmed.ID} {
		if _, err := e.cancel(*caller, id, ""); err != nil {
			t.Error(err)
		}
	}
	testkit.Sound(t, e.pool)
}

// Nobody is trapped: who was moved may cancel until the new start, and a setting that
// is edited later does not close the cancellation of bookings that were there before.
func TestEditsDoNotTrapAttendees(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.CancellationClosesMinutes = 60 })
	slot, other := testkit.Slot(t, e.pool, event.ID), testkit.Slot(t, e.pool, event.ID, hours(90))
	moved, before, shifted := e.attendee(t), e.attendee(t), e.attendee(t)
	ofMoved := e.mustBook(t, moved, slot.ID, 1)
	e.moveSlot(t, event, slot.ID, 50*time.Minute, 3*time.Hour)
	ofBefore := e.mustBook(t, before, other.ID, 1)
	e.exec(t, "UPDATE events SET cancellation_closes_minutes = 525600 WHERE id = $1", event.ID)
	ofShifted, err := e.move(organizerOf(event), e.mustBook(t, shifted, testkit.Slot(t, e.pool, event.ID, hours(95)).ID, 1).ID, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	late := e.attendee(t)
	after := e.mustBook(t, late, other.ID, 1)

	preview := func(caller access.Caller, id uuid.UUID) time.Time {
		t.Helper()
		p, err := e.service.Preview(t.Context(), caller, id)
		if err != nil {
			t.Fatal(err)
		}
		return p.ClosesAt
	}
	if got, want := preview(moved, ofMoved.ID), e.get(t, moved, ofMoved.ID).StartsAt; !got.Equal(want) {
		t.Errorf("a moved booking can be cancelled until %v, want %v", got, want)
	}
	if got, want := preview(before, ofBefore.ID), other.StartsAt.Add(-time.Hour); !got.Equal(want) {
		t.Errorf("an old booking can be cancelled until %v, want %v", got, want)
	}
	for caller, id := range map[*access.Caller]uuid.UUID{&moved: ofMoved.ID, &before: ofBefore.ID, &shifted: ofShifted.ID} {
		if _, err := e.cancel(*caller, id, ""); err != nil {
			t.Error(err)
		}
	}
	if _, err := e.cancel(late, after.ID, ""); !errors.Is(err, fault.CancellationWindowClosed) {
		t.Errorf("a booking made after the edit: %v", err)
	}
	// A setting that becomes smaller is good for everybody.
	e.exec(t, "UPDATE events SET cancellation_closes_minutes = 0 WHERE id = $1", event.ID)
	if _, err := e.cancel(late, after.ID, ""); err != nil {
		t.Error(err)
	}
	testkit.Sound(t, e.pool)
}

// Waiting bookings of a moved slot are promoted at once if they can be cancelled
// afterwards, whatever the event's setting says by then.
func TestMovedWaitersAreNotAskedFirst(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool, func(event *db.Event) { event.CancellationClosesMinutes = 60 })
	slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1))
	one, two := e.attendee(t), e.attendee(t)
	first, second := e.mustBook(t, one, slot.ID, 1), e.mustBook(t, two, slot.ID, 1)
	e.moveSlot(t, event, slot.ID, 30*time.Minute, time.Hour)
	if _, err := e.cancel(one, first.ID, ""); err != nil {
		t.Fatal(err)
	}
	e.promote(t, slot.ID)
	if got := e.status(t, second.ID); got != seating.Confirmed {
		t.Errorf("the next is %s", got)
	}
	testkit.Sound(t, e.pool)
}
