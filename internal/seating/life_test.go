package seating_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

const held = seating.Held

func (d *fixture) hold(seats int) seating.Hold { return seating.Hold{Book: d.book(seats)} }

func (d *fixture) confirm(b seating.Book, from seating.Status) seating.Confirm {
	return seating.Confirm{SlotID: b.SlotID, BookingID: b.BookingID, UserID: b.UserID, From: from, By: seating.Actor{Role: seating.ActorAttendee}}
}

func (d *fixture) booking(id uuid.UUID) seating.Booking {
	for _, b := range d.state.Bookings() {
		if b.ID == id {
			return *b
		}
	}
	return seating.Booking{}
}

func holdable(capacity int) seating.Slot {
	slot := aSlot(capacity)
	slot.Policy.HoldFor = 10 * time.Minute
	return slot
}

func TestHoldRunsOutOrIsConfirmed(t *testing.T) {
	t.Parallel()
	d := newFixture(t, holdable(2))
	kept, lost := d.hold(1), d.hold(1)
	if r := d.must(kept); !r.Booking.ExpiresAt.Equal(noon.Add(10 * time.Minute)) {
		t.Errorf("expires at %s", r.Booking.ExpiresAt)
	}
	d.must(lost)
	waiter := d.book(1)
	d.must(waiter)
	d.must(d.confirm(kept.Book, held))
	d.must(d.confirm(kept.Book, held)) // twice is once
	d.want(confirmed, held, waitlisted)

	d.state.Now = noon.Add(10 * time.Minute)
	_, err := d.apply(d.confirm(lost.Book, held))
	wantFault(t, err, fault.HoldExpired)
	d.must(seating.Promote{SlotID: d.slot})
	d.want(confirmed, expired, confirmed)
	_, err = d.apply(d.confirm(waiter, seating.Offered)) // confirmed already
	if err != nil {
		t.Error(err)
	}
}

func TestHoldsNeverWaitAndNeverJump(t *testing.T) {
	t.Parallel()
	d := newFixture(t, holdable(2))
	d.must(d.book(1))
	d.must(d.book(2)) // waits for two, strictly: the free seat is not for others
	_, err := d.apply(d.hold(1))
	wantFault(t, err, fault.SlotFull)
}

func TestHeldSeatsAreBounded(t *testing.T) {
	t.Parallel()
	d := newFixture(t, holdable(100))
	h := d.hold(20)
	d.must(h)
	other := holdable(100)
	other.StartsAt, other.EndsAt = noon.Add(100*time.Hour), noon.Add(101*time.Hour)
	d.state.AddSlot(other)
	more := seating.Hold{Book: seating.Book{BookingID: uuid.New(), SlotID: other.ID, UserID: h.UserID, Seats: 1}}
	_, err := d.apply(more)
	if f := wantFault(t, err, fault.HoldLimit); *f.Held != 20 {
		t.Errorf("held is %v", *f.Held)
	}
	d.must(d.confirm(h.Book, held)) // what is confirmed is not held any more
	d.must(more)
}

func TestOfferIsAcceptedOrDeclined(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistMode = seating.WaitlistOffer
	d := newFixture(t, slot)
	first, second, third := d.book(1), d.book(1), d.book(1)
	d.must(first)
	d.must(second)
	d.must(third)
	_, err := d.apply(d.confirm(second, offered))
	wantFault(t, err, fault.InvalidTransition)
	d.must(d.cancel(first))
	d.must(seating.Promote{SlotID: d.slot})
	d.must(seating.Decline{SlotID: d.slot, BookingID: second.BookingID, UserID: second.UserID, By: seating.Actor{Role: seating.ActorAttendee}})
	declined := d.now().Version
	d.must(seating.Promote{SlotID: d.slot})
	d.want(cancelled, cancelled, offered)
	if last := d.state.Entries()[len(d.state.Entries())-1]; last.Cause.Version != declined {
		t.Errorf("the next offer is caused by %d, want the decline %d", last.Cause.Version, declined)
	}
	d.must(d.confirm(third, offered))
	d.want(cancelled, cancelled, confirmed)
	if last := d.state.Entries()[len(d.state.Entries())-1]; last.Kind != seating.KindAccepted {
		t.Errorf("last entry is %s", last.Kind)
	}
	_, err = d.apply(seating.Decline{SlotID: d.slot, BookingID: third.BookingID})
	wantFault(t, err, fault.InvalidTransition)
}

func TestOfferTooLate(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistMode = seating.WaitlistOffer
	d := newFixture(t, slot)
	first, second := d.book(1), d.book(1)
	d.must(first)
	d.must(second)
	d.must(d.cancel(first))
	d.must(seating.Promote{SlotID: d.slot})
	d.state.Now = noon.Add(time.Hour)
	_, err := d.apply(d.confirm(second, offered))
	wantFault(t, err, fault.OfferExpired)
}

func TestFewerSeatsAreAcceptedDownToTheLeast(t *testing.T) {
	t.Parallel()
	d := newFixture(t, aSlot(4))
	first := d.book(4)
	d.must(first)
	wish := d.book(4)
	wish.SeatsMin = 2
	d.must(wish)
	resize := func(seats int) {
		d.must(seating.Resize{SlotID: d.slot, BookingID: first.BookingID, UserID: first.UserID, Seats: seats, By: seating.Actor{Role: seating.ActorAttendee}})
		d.must(seating.Promote{SlotID: d.slot})
	}
	resize(3)
	d.want(confirmed, waitlisted)
	resize(1)
	d.want(confirmed, confirmed)
	if b := d.booking(wish.BookingID); b.Seats != 3 {
		t.Errorf("promoted with %d seats, want 3", b.Seats)
	}
	// Its least follows the seats down, and is of no use any more.
	back := seating.Resize{SlotID: d.slot, BookingID: wish.BookingID, UserID: wish.UserID, Seats: 1, SeatsMin: 1}
	if r := d.must(back); r.Booking.Seats != 1 || r.Slot.SeatsTaken != 2 {
		t.Errorf("%d seats, %d taken", r.Booking.Seats, r.Slot.SeatsTaken)
	}
	back.SeatsMin = 0
	_, err := d.apply(back)
	wantFault(t, err, fault.InvalidTransition)
	// A newcomer, too.
	d = newFixture(t, aSlot(3))
	d.must(d.book(1))
	part := d.book(3)
	part.SeatsMin = 1
	if r := d.must(part); r.Booking.Status != confirmed || r.Booking.Seats != 2 {
		t.Errorf("newcomer is %s with %d seats", r.Booking.Status, r.Booking.Seats)
	}
}

func TestResizing(t *testing.T) {
	t.Parallel()
	d := newFixture(t, aSlot(3))
	mine := d.book(2)
	d.must(mine)
	to := func(b seating.Book, seats int) (seating.Result, error) {
		return d.apply(seating.Resize{SlotID: d.slot, BookingID: b.BookingID, UserID: b.UserID, Seats: seats, By: seating.Actor{Role: seating.ActorAttendee}})
	}
	if r, err := to(mine, 3); err != nil || r.Slot.SeatsTaken != 3 {
		t.Fatalf("%v, %d taken", err, r.Slot.SeatsTaken)
	}
	_, err := to(mine, 4)
	wantFault(t, err, fault.SeatsExceedCapacity)
	one, two := d.book(2), d.book(1)
	d.must(one)
	d.must(two)
	_, err = to(mine, 2) // frees one seat, the head wants two
	must(t, err)
	_, err = to(mine, 3) // somebody waits now
	wantFault(t, err, fault.SlotFull)

	// Waiting with fewer keeps the place, with more it rejoins at the end.
	_, err = to(one, 1)
	must(t, err)
	d.must(seating.Promote{SlotID: d.slot})
	d.want(confirmed, confirmed, waitlisted)
	before := d.booking(two.BookingID).QueuedVersion
	_, err = to(two, 3)
	must(t, err)
	if after := d.booking(two.BookingID); after.QueuedVersion <= before || after.QueuedVersion != after.Version {
		t.Errorf("place was %d, is %d", before, after.QueuedVersion)
	}
	_, err = d.apply(seating.Resize{SlotID: d.slot, BookingID: two.BookingID, Version: 1, Seats: 1})
	wantFault(t, err, fault.VersionMismatch)
}

// event is a fixture with further slots of the same event, an hour apart.
func event(t tester, capacities ...int) (*fixture, []seating.Slot) {
	var slots []seating.Slot
	first := holdable(capacities[0])
	d := newFixture(t, first)
	slots = append(slots, first)
	for i, capacity := range capacities[1:] {
		s := holdable(capacity)
		s.EventID = first.EventID
		s.StartsAt, s.EndsAt = first.StartsAt.Add(time.Duration(i+1)*3*time.Hour), first.EndsAt.Add(time.Duration(i+1)*3*time.Hour)
		d.state.AddSlot(s)
		slots = append(slots, s)
	}
	return d, slots
}

func TestMoveIsOneStepOrNothing(t *testing.T) {
	t.Parallel()
	d, slots := event(t, 1, 1)
	mine, theirs := d.book(1), d.book(1)
	theirs.SlotID = slots[1].ID
	d.must(mine)
	d.must(theirs)
	move := seating.Move{SlotID: slots[0].ID, BookingID: mine.BookingID, UserID: mine.UserID, ToSlotID: slots[1].ID, NewID: uuid.New(), By: seating.Actor{Role: seating.ActorAttendee}}
	entries := len(d.state.Entries())
	_, err := d.apply(move)
	wantFault(t, err, fault.SlotFull)
	if len(d.state.Entries()) != entries {
		t.Error("a refused move left a trace")
	}
	d.must(seating.Cancel{SlotID: slots[1].ID, BookingID: theirs.BookingID, UserID: theirs.UserID, By: seating.Actor{Role: seating.ActorAttendee}})
	r := d.must(move)
	if r.Booking.Status != confirmed || r.Booking.MovedFrom != mine.BookingID || r.Booking.SlotID != slots[1].ID {
		t.Errorf("new booking is %+v", r.Booking)
	}
	if old := d.booking(mine.BookingID); old.Status != cancelled {
		t.Errorf("old booking is %s", old.Status)
	}
	last := d.state.Entries()[len(d.state.Entries())-1]
	if last.Cause.SlotID != slots[0].ID {
		t.Errorf("the new booking's cause is %+v", last.Cause)
	}
	_, err = d.apply(move)
	wantFault(t, err, fault.InvalidTransition)
	_, err = d.apply(seating.Move{SlotID: slots[1].ID, BookingID: r.Booking.ID, UserID: mine.UserID, ToSlotID: slots[1].ID, NewID: uuid.New()})
	wantFault(t, err, fault.ValidationFailed)
}

func TestBundleIsAllOrNothing(t *testing.T) {
	t.Parallel()
	d, slots := event(t, 1, 1, 1)
	user := uuid.New()
	bundle := func(ids ...uuid.UUID) (c seating.Bundle) {
		for _, id := range ids {
			c.Items = append(c.Items, seating.Book{BookingID: uuid.New(), SlotID: id, UserID: user, Seats: 1})
		}
		return c
	}
	full := d.book(1)
	full.SlotID = slots[2].ID
	d.must(full)
	entries := len(d.state.Entries())
	_, err := d.apply(bundle(slots[0].ID, slots[1].ID, slots[2].ID))
	if f := wantFault(t, err, fault.SlotFull); *f.Item != 2 {
		t.Errorf("item is %v", *f.Item)
	}
	if len(d.state.Entries()) != entries {
		t.Error("a refused bundle left a trace")
	}
	r := d.must(bundle(slots[0].ID, slots[1].ID))
	if len(r.Items) != 2 || r.Items[1].Booking.Status != confirmed {
		t.Errorf("parts are %+v", r.Items)
	}
}

func TestBundleItemsMustNotOverlap(t *testing.T) {
	t.Parallel()
	d, slots := event(t, 1)
	same := aSlot(1)
	d.state.AddSlot(same)
	user := uuid.New()
	_, err := d.apply(seating.Bundle{Items: []seating.Book{
		{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: user, Seats: 1},
		{BookingID: uuid.New(), SlotID: same.ID, UserID: user, Seats: 1}}})
	if f := wantFault(t, err, fault.BookingOverlap); !slices.Equal(f.Items, []int{0, 1}) {
		t.Errorf("items are %v", f.Items)
	}
}

// Keep and upgrade, as it is asked for: at once where seats are free, else in turn.
func TestUpgradeByRequest(t *testing.T) {
	t.Parallel()
	d, slots := event(t, 1, 1)
	user, rival := uuid.New(), d.book(1)
	gallery := seating.Book{BookingID: uuid.New(), SlotID: slots[1].ID, UserID: user, Seats: 1}
	d.must(gallery)
	d.must(rival)
	stalls := seating.Book{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: user, Seats: 1, IfFull: seating.Wait, Replaces: gallery.BookingID, ReplacesSlotID: slots[1].ID}
	if r := d.must(stalls); r.Booking.Status != waitlisted {
		t.Fatalf("wish is %s", r.Booking.Status)
	}
	d.must(d.cancel(rival))
	d.must(seating.Promote{SlotID: slots[0].ID})
	if a, b := d.booking(stalls.BookingID), d.booking(gallery.BookingID); a.Status != confirmed || b.Status != cancelled || b.ReplacedBy != a.ID {
		t.Errorf("wish is %s, old one %s replaced by %s", a.Status, b.Status, b.ReplacedBy)
	}
	// And back again, at once: the gallery is free.
	back := seating.Book{BookingID: uuid.New(), SlotID: slots[1].ID, UserID: user, Seats: 1, Replaces: stalls.BookingID, ReplacesSlotID: slots[0].ID}
	if r := d.must(back); r.Booking.Status != confirmed || d.booking(stalls.BookingID).Status != cancelled {
		t.Errorf("wish is %s", r.Booking.Status)
	}
	notMine := seating.Book{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: uuid.New(), Seats: 1, Replaces: back.BookingID, ReplacesSlotID: slots[1].ID}
	_, err := d.apply(notMine)
	wantFault(t, err, fault.ValidationFailed)
}

// Two waits name one booking: when one wins, the other means the winner.
func TestLaterUpgradeMeansTheWinner(t *testing.T) {
	t.Parallel()
	d, slots := event(t, 1, 1, 1)
	user := uuid.New()
	base := seating.Book{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: user, Seats: 1}
	d.must(base)
	var rivals, wishes []seating.Book
	for _, s := range slots[1:] {
		rival := d.book(1)
		rival.SlotID = s.ID
		d.must(rival)
		wish := seating.Book{BookingID: uuid.New(), SlotID: s.ID, UserID: user, Seats: 1, IfFull: seating.Wait, Replaces: base.BookingID, ReplacesSlotID: slots[0].ID}
		d.must(wish)
		rivals, wishes = append(rivals, rival), append(wishes, wish)
	}
	for i, rival := range rivals {
		d.must(seating.Cancel{SlotID: rival.SlotID, BookingID: rival.BookingID, UserID: rival.UserID, By: seating.Actor{Role: seating.ActorAttendee}})
		d.must(seating.Promote{SlotID: wishes[i].SlotID})
	}
	if a, b, c := d.booking(base.BookingID), d.booking(wishes[0].BookingID), d.booking(wishes[1].BookingID); a.Status != cancelled || b.Status != cancelled || c.Status != confirmed {
		t.Errorf("base %s, first wish %s, second wish %s", a.Status, b.Status, c.Status)
	}
}

func TestCheckInAndItsUndo(t *testing.T) {
	t.Parallel()
	d := newFixture(t, aSlot(1))
	b := d.book(1)
	d.must(b)
	in := seating.CheckIn{SlotID: d.slot, BookingID: b.BookingID, UserID: b.UserID, By: seating.Actor{Role: seating.ActorOrganizer}}
	d.must(in)
	d.must(in)
	if at := d.booking(b.BookingID).CheckedInAt; !at.Equal(noon) || d.now().Version != 2 {
		t.Errorf("checked in at %s, version %d", at, d.now().Version)
	}
	in.Undo = true
	d.must(in)
	if at := d.booking(b.BookingID).CheckedInAt; !at.IsZero() {
		t.Errorf("still checked in at %s", at)
	}
	waiting := d.book(1)
	d.must(waiting)
	_, err := d.apply(seating.CheckIn{SlotID: d.slot, BookingID: waiting.BookingID})
	wantFault(t, err, fault.InvalidTransition)
}

func TestNewTimeMayDisplace(t *testing.T) {
	t.Parallel()
	d, slots := event(t, 2, 2)
	busy, free := d.book(1), d.book(1)
	d.must(busy)
	d.must(free)
	d.must(seating.Book{BookingID: uuid.New(), SlotID: slots[1].ID, UserID: busy.UserID, Seats: 1})
	edit := seating.EditSlot{SlotID: slots[0].ID, StartsAt: &slots[1].StartsAt, EndsAt: &slots[1].EndsAt}
	_, err := d.apply(edit)
	wantFault(t, err, fault.EventHasBookings)
	edit.Displace = true
	d.must(edit)
	d.want(cancelled, confirmed)
}
