package seating_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// What an item's promotion frees in another item's slot is for those who wait there.
func TestBundleDoesNotJumpOverWhatItFrees(t *testing.T) {
	t.Parallel()
	d, slots := event(t, 3, 2)
	for _, s := range d.state.Slots() {
		s.Policy.Fit, s.Policy.MaxPasses = seating.FitFirstFit, 3
	}
	kept, other, wants2, both := d.book(1), d.book(1), d.book(2), d.book(2)
	both.SlotID = slots[1].ID
	for _, b := range []seating.Book{kept, other, wants2, both} {
		d.must(b)
	}
	upgrade := d.book(1)
	upgrade.SlotID, upgrade.UserID, upgrade.Replaces, upgrade.ReplacesSlotID = slots[1].ID, kept.UserID, kept.BookingID, slots[0].ID
	d.must(upgrade)
	d.must(seating.Cancel{SlotID: slots[1].ID, BookingID: both.BookingID, UserID: both.UserID})
	user := uuid.New()
	_, err := d.apply(seating.Bundle{Items: []seating.Book{
		{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: user, Seats: 1},
		{BookingID: uuid.New(), SlotID: slots[1].ID, UserID: user, Seats: 1}}})
	if err != nil {
		wantFault(t, err, fault.SlotFull)
	}
	d.must(seating.Promote{SlotID: d.slot})
	if b := d.booking(wants2.BookingID); b.Status != confirmed {
		t.Errorf("the bundle went before a booking that waited: %s", b.Status)
	}
}

// Seats that were held, and are not any more, do not count.
func TestHoldsThatRanOutDoNotCount(t *testing.T) {
	t.Parallel()
	d := newFixture(t, holdable(100))
	h := d.hold(20)
	d.must(h)
	d.state.Now = noon.Add(time.Hour)
	again := d.hold(20)
	again.UserID = h.UserID
	d.must(again)
}
