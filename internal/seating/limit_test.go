package seating_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// newLimited is an event with slots of ten seats each, with limits.
func newLimited(t tester, perBooking, perUser, slots int) (*fixture, []seating.Slot) {
	f := &fixture{t: t, state: seating.NewState(noon)}
	event := uuid.New()
	var all []seating.Slot
	for i := range slots {
		slot := holdable(10)
		slot.EventID = event
		slot.StartsAt, slot.EndsAt = noon.Add(time.Duration(48+3*i)*time.Hour), noon.Add(time.Duration(50+3*i)*time.Hour)
		slot.Policy.MaxSeatsPerBooking, slot.Policy.MaxSeatsPerUser = perBooking, perUser
		f.state.AddSlot(slot)
		all = append(all, slot)
	}
	f.slot = all[0].ID
	return f, all
}

// limit edits the limits of all slots of the fixture.
func (f *fixture) limit(perBooking, perUser int) {
	for _, slot := range f.state.Slots() {
		slot.Policy.MaxSeatsPerBooking, slot.Policy.MaxSeatsPerUser = perBooking, perUser
	}
}

// fill lets others book all seats of a slot, and returns one of the bookings.
func (f *fixture) fill(slot seating.Slot, parts ...int) (first seating.Book) {
	perUser := slot.Policy.MaxSeatsPerUser
	f.limit(0, 0)
	for i, seats := range parts {
		b := f.of(uuid.New(), slot, seats)
		f.must(b)
		if i == 0 {
			first = b
		}
	}
	f.limit(0, perUser)
	return first
}

// of is a booking of a slot by a user.
func (f *fixture) of(user uuid.UUID, slot seating.Slot, seats int) seating.Book {
	b := f.book(seats)
	b.UserID, b.SlotID = user, slot.ID
	return b
}

func resizeTo(b seating.Book, seats int) seating.Resize {
	return seating.Resize{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, Seats: seats, By: b.By}
}

func instead(b, old seating.Book) seating.Book {
	b.Replaces, b.ReplacesSlotID = old.BookingID, old.SlotID
	return b
}

func TestABookingHasAtMostAsManySeatsAsTheEventAllows(t *testing.T) {
	t.Parallel()
	f, slots := newLimited(t, 3, 0, 2)
	user := uuid.New()
	refused := func(c seating.Command) {
		t.Helper()
		_, err := f.apply(c)
		if m := wantFault(t, err, fault.BookingSeatLimit); *m.Limit > 3 || m.SlotVersion == nil {
			t.Errorf("%+v", m)
		}
	}
	refused(f.of(user, slots[0], 4))
	refused(seating.Hold{Book: f.of(user, slots[0], 4)})
	refused(seating.Bundle{Items: []seating.Book{f.of(user, slots[0], 1), f.of(user, slots[1], 4)}})
	b := f.of(user, slots[0], 3)
	f.must(b)
	refused(resizeTo(b, 4))
	f.limit(1, 0) // What is there stays, may become less, and may move.
	refused(f.of(uuid.New(), slots[0], 2))
	f.must(resizeTo(b, 2))
	_, err := f.apply(resizeTo(b, 3))
	wantFault(t, err, fault.BookingSeatLimit)
	f.must(seating.Move{SlotID: b.SlotID, BookingID: b.BookingID, UserID: user, ToSlotID: slots[1].ID, NewID: uuid.New(), By: b.By})
}

func TestAUserHasAtMostAsManySeatsAsTheEventAllows(t *testing.T) {
	t.Parallel()
	f, slots := newLimited(t, 0, 5, 4)
	user := uuid.New()
	refused := func(has int, c seating.Command) {
		t.Helper()
		_, err := f.apply(c)
		if m := wantFault(t, err, fault.UserSeatLimit); *m.Limit != 5 || *m.Seats != has || m.SlotVersion == nil {
			t.Errorf("limit %d, seats %d, want %d", *m.Limit, *m.Seats, has)
		}
	}
	refused(0, f.of(user, slots[0], 6))
	refused(0, seating.Bundle{Items: []seating.Book{f.of(user, slots[0], 3), f.of(user, slots[1], 3)}})
	confirmed, held, waits := f.of(user, slots[0], 2), f.of(user, slots[1], 1), f.of(user, slots[2], 1)
	f.fill(slots[2], 10)
	f.must(confirmed)
	f.must(seating.Hold{Book: held})
	f.must(waits)
	refused(4, f.of(user, slots[3], 2))
	refused(4, seating.Hold{Book: f.of(user, slots[3], 2)})
	refused(4, resizeTo(confirmed, 4))
	refused(4, resizeTo(waits, 3))
	f.must(resizeTo(waits, 2))
	refused(5, f.of(user, slots[3], 1))
	f.must(f.cancel(confirmed))
	f.must(f.of(user, slots[3], 2))
	f.must(seating.Move{SlotID: slots[3].ID, BookingID: f.made[len(f.made)-1], UserID: user, ToSlotID: slots[0].ID, NewID: uuid.New(), By: confirmed.By})
	refused(5, f.of(user, slots[3], 1))
}

// Somebody who was refused for a limit may ask for less in the same breath: nothing was done.
func TestWhoIsRefusedForALimitHasNothing(t *testing.T) {
	t.Parallel()
	f, slots := newLimited(t, 0, 10, 2)
	user := uuid.New()
	_, err := f.apply(seating.Bundle{Items: []seating.Book{f.of(user, slots[0], 6), f.of(user, slots[1], 5)}})
	if m := wantFault(t, err, fault.UserSeatLimit); *m.Item != 1 || *m.SlotID != slots[1].ID {
		t.Errorf("%+v", m)
	}
	if len(f.state.Entries()) > 0 {
		t.Errorf("%v", f.kinds())
	}
	f.must(f.of(user, slots[0], 10))
}

// A hold that has run out counts no more, though its slot does not know yet.
func TestAHoldThatRanOutDoesNotCount(t *testing.T) {
	t.Parallel()
	f, slots := newLimited(t, 0, 2, 2)
	user := uuid.New()
	f.must(seating.Hold{Book: f.of(user, slots[0], 2)})
	f.state.Now = noon.Add(9 * time.Minute)
	_, err := f.apply(f.of(user, slots[1], 1))
	wantFault(t, err, fault.UserSeatLimit)
	f.state.Now = noon.Add(10 * time.Minute)
	f.must(f.of(user, slots[1], 2))
}

// A wait instead of a booking counts as far as it is larger; only one of several does.
func TestAWaitInsteadOfABookingCountsTheDifference(t *testing.T) {
	t.Parallel()
	f, slots := newLimited(t, 0, 6, 4)
	user := uuid.New()
	full := []seating.Book{f.fill(slots[1], 5, 5), f.fill(slots[2], 5, 5)}
	old, first, second := f.of(user, slots[0], 4), f.of(user, slots[1], 5), f.of(user, slots[2], 4)
	f.must(old)
	f.must(instead(first, old)) // 5
	_, err := f.apply(instead(second, old))
	if m := wantFault(t, err, fault.UserSeatLimit); *m.Seats != 5 {
		t.Errorf("%d seats", *m.Seats)
	}
	second.Seats = 1
	f.must(instead(second, old)) // 6
	_, err = f.apply(f.of(user, slots[3], 1))
	wantFault(t, err, fault.UserSeatLimit)
	// Whoever is served and whatever is cancelled, it is never more.
	f.must(f.cancel(old))
	for _, b := range full {
		f.must(seating.Cancel{SlotID: b.SlotID, BookingID: b.BookingID, By: b.By})
		f.must(seating.Promote{SlotID: b.SlotID})
	}
	if f.booking(first.BookingID).Status != confirmed || f.booking(second.BookingID).Status != confirmed {
		t.Errorf("%v", f.statuses())
	}
	_, err = f.apply(f.of(user, slots[3], 1))
	if m := wantFault(t, err, fault.UserSeatLimit); *m.Seats != 6 {
		t.Errorf("%d seats", *m.Seats)
	}
}

func TestAnExchangeAtOnceCountsTheDifference(t *testing.T) {
	t.Parallel()
	f, slots := newLimited(t, 0, 4, 3)
	user := uuid.New()
	f.fill(slots[2], 10)
	old, next, waits := f.of(user, slots[0], 4), f.of(user, slots[1], 4), f.of(user, slots[2], 4)
	f.must(old)
	_, err := f.apply(instead(f.of(user, slots[1], 5), old))
	wantFault(t, err, fault.UserSeatLimit)
	f.must(instead(waits, old))
	if f.must(instead(next, old)); f.booking(old.BookingID).Status != cancelled {
		t.Error("both are kept")
	}
	f.limit(0, 2) // lowered: as many as before may be exchanged, and no more
	f.must(instead(f.of(user, slots[0], 4), next))
}

// What can no longer be given back is kept; who waits instead of it then asks for more, and
// is not served beyond the limit.
func TestAWaitThatHasBecomeTooMuchEnds(t *testing.T) {
	t.Parallel()
	f, slots := newLimited(t, 0, 4, 2)
	user, other := uuid.New(), f.fill(slots[1], 10)
	old, waits, behind := f.of(user, slots[0], 4), f.of(user, slots[1], 4), f.of(uuid.New(), slots[1], 2)
	f.must(old)
	f.must(instead(waits, old))
	f.must(behind)
	f.state.Now = slots[0].StartsAt
	f.must(seating.Cancel{SlotID: other.SlotID, BookingID: other.BookingID, By: other.By})
	f.must(seating.Promote{SlotID: other.SlotID})
	if f.booking(waits.BookingID).Status != cancelled || f.booking(behind.BookingID).Status != confirmed {
		t.Errorf("%v", f.statuses())
	}
}
