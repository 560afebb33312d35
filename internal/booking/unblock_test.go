package booking_test

import (
	"testing"
	"time"

	"eventbooking/gen/db"
	"eventbooking/internal/booking"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
	"eventbooking/internal/view"
)

// Who was blocked, and is not any more because of an edit of the slot or of their own
// booking, comes before newcomers, also where no job has run yet.
func TestUnblockedWaitersComeBeforeNewcomers(t *testing.T) {
	t.Parallel()
	e := open(t)
	event := testkit.Event(t, e.pool)
	for name, unblock := range map[string]func(t *testing.T, slot seating.Slot, waits seating.Booking, event db.Event){
		"the slot moved away from their other seats": func(t *testing.T, slot seating.Slot, _ seating.Booking, event db.Event) {
			e.moveSlot(t, event, slot.ID, 200*time.Hour, 201*time.Hour)
		},
		"the slot now ends before their other seats": func(t *testing.T, slot seating.Slot, _ seating.Booking, event db.Event) {
			ends := slot.StartsAt.Add(30 * time.Minute)
			if err := e.editTimes(event, slot.ID, nil, &ends, false); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(1), testkit.Times(48*time.Hour, 50*time.Hour))
			elsewhere := testkit.Slot(t, e.pool, event.ID, testkit.Times(49*time.Hour, 51*time.Hour))
			first, busy, newcomer := e.attendee(t), e.attendee(t), e.attendee(t)
			seated := e.mustBook(t, first, slot.ID, 1)
			waits := e.mustBook(t, busy, slot.ID, 1)
			e.mustBook(t, busy, elsewhere.ID, 1)
			if _, err := e.cancel(first, seated.ID, ""); err != nil {
				t.Fatal(err)
			}
			e.promote(t, slot.ID)
			if b := e.get(t, busy, waits.ID); b.Blocked != seating.BlockedOverlap {
				t.Fatalf("it is blocked %q", b.Blocked)
			}
			unblock(t, slot, waits, event)
			late := e.mustBook(t, newcomer, slot.ID, 1)
			if got := e.status(t, waits.ID); got != seating.Confirmed || late.Status != seating.Waitlisted {
				t.Errorf("who waited is %s, the newcomer %s", got, late.Status)
			}
		})
	}
	t.Run("they ask for fewer seats", func(t *testing.T) {
		slot := testkit.Slot(t, e.pool, event.ID, testkit.Capacity(3))
		first, large, newcomer := e.attendee(t), e.attendee(t), e.attendee(t)
		seated := e.mustBook(t, first, slot.ID, 1)
		waits := e.mustBook(t, large, slot.ID, 3)
		capacity := 2
		if _, err := e.desk.Do(t.Context(), desk.Submission{Command: seating.EditSlot{
			SlotID: slot.ID, Capacity: &capacity, By: seating.Actor{Role: seating.ActorOrganizer, ID: event.OrganizerID}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.cancel(first, seated.ID, ""); err != nil {
			t.Fatal(err)
		}
		if b := e.get(t, large, waits.ID); b.Blocked != seating.BlockedCapacity {
			t.Fatalf("it is blocked %q", b.Blocked)
		}
		if _, err := e.service.Resize(t.Context(), large, waits.ID, view.AnyState, booking.Patch{Seats: new(2)}); err != nil {
			t.Fatal(err)
		}
		late := e.mustBook(t, newcomer, slot.ID, 1)
		if got := e.status(t, waits.ID); got != seating.Confirmed || late.Status != seating.Waitlisted {
			t.Errorf("who waited is %s, the newcomer %s", got, late.Status)
		}
	})
	testkit.Sound(t, e.pool)
}
