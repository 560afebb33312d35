package seating_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

func TestReasonsToRefuseABookingHaveAnOrder(t *testing.T) {
	t.Parallel()
	// Each case adds a reason that comes before those of the cases above it.
	reasons := []struct {
		code *fault.Code
		add  func(*seating.Slot, *seating.Book)
	}{
		{fault.SlotFull, func(s *seating.Slot, b *seating.Book) { s.SeatsTaken, b.IfFull = s.Capacity, seating.Reject }},
		{fault.SeatsExceedCapacity, func(s *seating.Slot, b *seating.Book) { b.Seats = s.Capacity + 1 }},
		{fault.BookingClosed, func(s *seating.Slot, b *seating.Book) { s.Policy.BookingClosesAt = noon }},
		{fault.BookingNotOpen, func(s *seating.Slot, b *seating.Book) { s.Policy.BookingOpensAt = noon.Add(time.Second) }},
		{fault.SlotStarted, func(s *seating.Slot, b *seating.Book) { s.StartsAt = noon }},
		{fault.BookingClosed, func(s *seating.Slot, b *seating.Book) { s.Status = seating.SlotClosed }},
		{fault.SlotCancelled, func(s *seating.Slot, b *seating.Book) { s.Status = seating.SlotCancelled }},
		{fault.EventNotPublished, func(s *seating.Slot, b *seating.Book) { s.EventStatus = seating.EventCancelled }},
		{fault.NotFound, func(s *seating.Slot, b *seating.Book) { s.EventStatus = seating.EventDraft }},
	}
	slot := aSlot(2)
	book := seating.Book{BookingID: uuid.New(), SlotID: slot.ID, UserID: uuid.New(), Seats: 1}
	for _, reason := range reasons {
		reason.add(&slot, &book)
		f := newFixture(t, slot)
		_, err := f.apply(book)
		wantFault(t, err, reason.code)
		if len(f.state.Entries()) > 0 {
			t.Errorf("%s made entries: %v", reason.code.Name, f.kinds())
		}
	}
}

func TestWhoSeesADraftLearnsThatItIsNotPublished(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.EventStatus = seating.EventDraft
	f := newFixture(t, slot)
	b := f.book(1)
	b.SeesDraft = true
	_, err := f.apply(b)
	wantFault(t, err, fault.EventNotPublished)
}

func TestNewcomerPassesLargerBookingsUnderFirstFit(t *testing.T) {
	t.Parallel()
	slot := aSlot(4)
	slot.Policy.Fit = seating.FitFirstFit
	f := newFixture(t, slot)
	f.must(f.book(3))
	f.must(f.book(2)) // waits: one seat is left
	r := f.must(f.book(1))
	if r.Booking.Status != confirmed {
		t.Fatalf("newcomer is %s", r.Booking.Status)
	}
	if kinds := f.kinds(); !slices.Equal(kinds[2:], []seating.Kind{seating.KindConfirmed, seating.KindPassed}) {
		t.Errorf("ledger is %v", kinds)
	}
}

func TestWaitlistLimitIsCheckedAfterPromotion(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistLimit = 1
	f := newFixture(t, slot)
	a := f.book(1)
	f.must(a)
	f.must(f.book(1))
	_, err := f.apply(f.book(1))
	wantFault(t, err, fault.WaitlistFull)
	// The freed seat goes to the booking that waits, so another one may wait.
	f.must(f.cancel(a))
	r := f.must(f.book(1))
	if r.Booking.Status != waitlisted || len(r.Promoted) != 1 {
		t.Errorf("newcomer is %s, %d promoted", r.Booking.Status, len(r.Promoted))
	}
}

func TestSlotWithoutWaitlistRefusesWhenFull(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistMode = seating.WaitlistOff
	f := newFixture(t, slot)
	f.must(f.book(1))
	_, err := f.apply(f.book(1))
	wantFault(t, err, fault.WaitlistDisabled)
	reject := f.book(1)
	reject.IfFull = seating.Reject
	_, err = f.apply(reject)
	if m := wantFault(t, err, fault.SlotFull); *m.WaitlistOpen {
		t.Errorf("waitlist_open is %v", *m.WaitlistOpen)
	}
}

// A newcomer who is busy at that time, and wants more seats than are free, waits,
// but nobody waits behind them.
func TestBusyNewcomerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	there := aSlot(1)
	f := newFixture(t, aSlot(3))
	f.state.AddSlot(there)
	f.must(f.book(1))
	busy, behind := f.book(3), f.book(2)
	f.must(seating.Book{BookingID: uuid.New(), SlotID: there.ID, UserID: busy.UserID, Seats: 1})
	f.must(busy)
	f.must(behind)
	f.want(confirmed, waitlisted, confirmed)
}

func TestBundleIsAllOrNothing(t *testing.T) {
	t.Parallel()
	f, slots := newEvent(t, 1, 1, 1)
	user := uuid.New()
	bundle := func(ids ...uuid.UUID) (c seating.Bundle) {
		for _, id := range ids {
			c.Items = append(c.Items, seating.Book{BookingID: uuid.New(), SlotID: id, UserID: user, Seats: 1})
		}
		return c
	}
	full := f.book(1)
	full.SlotID = slots[2].ID
	f.must(full)
	entries := len(f.state.Entries())
	_, err := f.apply(bundle(slots[0].ID, slots[1].ID, slots[2].ID))
	if m := wantFault(t, err, fault.SlotFull); *m.Item != 2 {
		t.Errorf("item is %v", *m.Item)
	}
	if len(f.state.Entries()) != entries {
		t.Error("a refused bundle made an entry")
	}
	r := f.must(bundle(slots[0].ID, slots[1].ID))
	if len(r.Items) != 2 || r.Items[1].Booking.Status != confirmed {
		t.Errorf("items are %+v", r.Items)
	}
}

func TestBundleItemsMustNotOverlap(t *testing.T) {
	t.Parallel()
	f, slots := newEvent(t, 1)
	same := aSlot(1)
	f.state.AddSlot(same)
	user := uuid.New()
	_, err := f.apply(seating.Bundle{Items: []seating.Book{
		{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: user, Seats: 1},
		{BookingID: uuid.New(), SlotID: same.ID, UserID: user, Seats: 1}}})
	if m := wantFault(t, err, fault.BookingOverlap); !slices.Equal(m.Items, []int{0, 1}) {
		t.Errorf("items are %v", m.Items)
	}
}

// Seats that the promotion of one item's slot frees in another item's slot are for
// the bookings that wait there.
func TestBundleDoesNotTakeSeatsThatItFreesForOthers(t *testing.T) {
	t.Parallel()
	f, slots := newEvent(t, 3, 2)
	for _, s := range f.state.Slots() {
		s.Policy.Fit, s.Policy.MaxPasses = seating.FitFirstFit, 3
	}
	kept, other, wants2, both := f.book(1), f.book(1), f.book(2), f.book(2)
	both.SlotID = slots[1].ID
	for _, b := range []seating.Book{kept, other, wants2, both} {
		f.must(b)
	}
	upgrade := f.book(1)
	upgrade.SlotID, upgrade.UserID, upgrade.Replaces, upgrade.ReplacesSlotID = slots[1].ID, kept.UserID, kept.BookingID, slots[0].ID
	f.must(upgrade)
	f.must(seating.Cancel{SlotID: slots[1].ID, BookingID: both.BookingID, UserID: both.UserID})
	user := uuid.New()
	_, err := f.apply(seating.Bundle{Items: []seating.Book{
		{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: user, Seats: 1},
		{BookingID: uuid.New(), SlotID: slots[1].ID, UserID: user, Seats: 1}}})
	if err != nil {
		wantFault(t, err, fault.SlotFull)
	}
	f.must(seating.Promote{SlotID: f.slot})
	if b := f.booking(wants2.BookingID); b.Status != confirmed {
		t.Errorf("the bundle went before a booking that waited: %s", b.Status)
	}
}

func TestHoldIsConfirmedOrExpires(t *testing.T) {
	t.Parallel()
	f := newFixture(t, holdable(2))
	kept, lost := f.hold(1), f.hold(1)
	if r := f.must(kept); !r.Booking.ExpiresAt.Equal(noon.Add(10 * time.Minute)) {
		t.Errorf("expires at %s", r.Booking.ExpiresAt)
	}
	f.must(lost)
	waiter := f.book(1)
	f.must(waiter)
	f.must(f.confirm(kept.Book, held))
	f.must(f.confirm(kept.Book, held)) // repeating it changes nothing
	f.want(confirmed, held, waitlisted)

	f.state.Now = noon.Add(10 * time.Minute)
	_, err := f.apply(f.confirm(lost.Book, held))
	wantFault(t, err, fault.HoldExpired)
	f.must(seating.Promote{SlotID: f.slot})
	f.want(confirmed, expired, confirmed)
	_, err = f.apply(f.confirm(waiter, seating.Offered)) // confirmed already
	if err != nil {
		t.Error(err)
	}
}

func TestHoldDoesNotOvertakeTheQueue(t *testing.T) {
	t.Parallel()
	f := newFixture(t, holdable(2))
	f.must(f.book(1))
	f.must(f.book(2)) // waits: the free seat is not for those behind it
	_, err := f.apply(f.hold(1))
	wantFault(t, err, fault.SlotFull)
}

func TestUserHoldsAtMost20Seats(t *testing.T) {
	t.Parallel()
	f := newFixture(t, holdable(100))
	h := f.hold(20)
	f.must(h)
	other := holdable(100)
	other.StartsAt, other.EndsAt = noon.Add(100*time.Hour), noon.Add(101*time.Hour)
	f.state.AddSlot(other)
	more := seating.Hold{Book: seating.Book{BookingID: uuid.New(), SlotID: other.ID, UserID: h.UserID, Seats: 1}}
	_, err := f.apply(more)
	if m := wantFault(t, err, fault.HoldLimit); *m.Held != 20 {
		t.Errorf("held is %v", *m.Held)
	}
	f.must(f.confirm(h.Book, held)) // what is confirmed is not held any more
	f.must(more)
}

func TestExpiredHoldsDoNotCountAsHeld(t *testing.T) {
	t.Parallel()
	f := newFixture(t, holdable(100))
	h := f.hold(20)
	f.must(h)
	f.state.Now = noon.Add(time.Hour)
	again := f.hold(20)
	again.UserID = h.UserID
	f.must(again)
}
