package seating_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

func TestStrictFitLetsNobodyPass(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(3))
	a, big, small := f.book(3), f.book(2), f.book(1)
	f.must(a)
	f.must(big)
	f.must(small)
	f.want(confirmed, waitlisted, waitlisted)

	// One seat is free, the head wants two: everybody behind it waits, newcomers too.
	one := 4
	f.must(seating.EditSlot{SlotID: f.slot, Capacity: &one})
	f.must(seating.Promote{SlotID: f.slot})
	late := f.book(1)
	late.IfFull = seating.Reject
	_, err := f.apply(late)
	wantFault(t, err, fault.SlotFull)
	f.want(confirmed, waitlisted, waitlisted)

	// The head leaves: the next one is served, because of that.
	f.must(f.cancel(big))
	cancellation := f.now().Version
	f.must(seating.Promote{SlotID: f.slot})
	f.want(confirmed, cancelled, confirmed)
	last := f.state.Entries()[len(f.state.Entries())-1]
	if last.Kind != seating.KindPromoted || last.Cause.Version != cancellation {
		t.Errorf("last entry is %s caused by %d, want promoted by %d", last.Kind, last.Cause.Version, cancellation)
	}
}

func TestFirstFitPassesAHeadUpToMaxPasses(t *testing.T) {
	t.Parallel()
	slot := aSlot(4)
	slot.Policy.Fit, slot.Policy.MaxPasses = seating.FitFirstFit, 2
	f := newFixture(t, slot)
	first := f.book(4)
	f.must(first)
	big := f.book(3)
	f.must(big)
	for range 4 {
		f.must(f.book(1))
	}
	// Two seats are free for the two smallest behind the head of three.
	six := 6
	f.must(seating.EditSlot{SlotID: f.slot, Capacity: &six})
	f.must(seating.Promote{SlotID: f.slot})
	f.want(confirmed, waitlisted, confirmed, confirmed, waitlisted, waitlisted)

	// The head was passed twice, so now nobody passes it.
	seven := 7
	f.must(seating.EditSlot{SlotID: f.slot, Capacity: &seven})
	f.must(seating.Promote{SlotID: f.slot})
	late := f.book(1)
	f.must(late)
	f.want(confirmed, waitlisted, confirmed, confirmed, waitlisted, waitlisted, waitlisted)

	var passes int
	for _, e := range f.state.Entries() {
		if e.Kind == seating.KindPassed {
			passes++
			if e.BookingID != big.BookingID || e.Cause.Version >= e.Version {
				t.Errorf("passed entry %+v", e)
			}
		}
	}
	if passes != 2 {
		t.Errorf("%d passes, want 2", passes)
	}
}

func TestPromotionGivesFewerSeatsDownToSeatsMin(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(4))
	first := f.book(4)
	f.must(first)
	waiting := f.book(4)
	waiting.SeatsMin = 2
	f.must(waiting)
	resize := func(seats int) {
		f.must(seating.Resize{SlotID: f.slot, BookingID: first.BookingID, UserID: first.UserID, Seats: seats, By: seating.Actor{Role: seating.ActorAttendee}})
		f.must(seating.Promote{SlotID: f.slot})
	}
	resize(3)
	f.want(confirmed, waitlisted)
	resize(1)
	f.want(confirmed, confirmed)
	if b := f.booking(waiting.BookingID); b.Seats != 3 {
		t.Errorf("promoted with %d seats, want 3", b.Seats)
	}
	// SeatsMin cannot stay above the seats, and cannot change otherwise.
	fewer := seating.Resize{SlotID: f.slot, BookingID: waiting.BookingID, UserID: waiting.UserID, Seats: 1, SeatsMin: 1}
	if r := f.must(fewer); r.Booking.Seats != 1 || r.Slot.SeatsTaken != 2 {
		t.Errorf("%d seats, %d taken", r.Booking.Seats, r.Slot.SeatsTaken)
	}
	fewer.SeatsMin = 0
	_, err := f.apply(fewer)
	wantFault(t, err, fault.InvalidTransition)
	// A newcomer gets fewer seats, too.
	f = newFixture(t, aSlot(3))
	f.must(f.book(1))
	newcomer := f.book(3)
	newcomer.SeatsMin = 1
	if r := f.must(newcomer); r.Booking.Status != confirmed || r.Booking.Seats != 2 {
		t.Errorf("newcomer is %s with %d seats", r.Booking.Status, r.Booking.Seats)
	}
}

func TestBookingLargerThanTheCapacityIsBlockedUntilItRises(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(4))
	a := f.book(2)
	f.must(a)
	f.must(f.book(4))
	f.must(f.book(1))
	to := func(n int) {
		f.must(seating.EditSlot{SlotID: f.slot, Capacity: &n})
		f.must(seating.Promote{SlotID: f.slot})
	}
	to(3)
	f.want(confirmed, waitlisted, confirmed)
	if s := f.now(); s.WaitlistLength != 1 || s.WaitlistReady != 0 {
		t.Errorf("%d wait, %d ready", s.WaitlistLength, s.WaitlistReady)
	}
	to(7)
	f.want(confirmed, confirmed, confirmed)
}

// A busy newcomer makes a promotion due, and the head leaves the queue before it
// runs: the promotion has a cause, though nothing was ever freed.
func TestPromotionHasACauseIfNothingWasFreed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(3))
	first := f.book(3)
	f.must(f.book(2))
	f.must(first)
	f.must(f.book(1))

	busy := f.book(1)
	elsewhere := aSlot(1)
	f.state.AddSlot(elsewhere)
	blocker := f.book(1)
	blocker.SlotID, blocker.UserID = elsewhere.ID, busy.UserID
	f.must(blocker)
	f.must(busy)
	cancellation := f.must(f.cancel(first))
	f.must(seating.Promote{SlotID: f.slot})
	f.want(cancelled, confirmed, confirmed, waitlisted, confirmed)
	for _, e := range f.state.Entries() {
		if e.Kind == seating.KindPromoted && e.Cause != (seating.Cause{SlotID: f.slot, Version: cancellation.Slot.Version}) {
			t.Errorf("the cause is %v, want entry %d, the cancellation of the head", e.Cause, cancellation.Slot.Version)
		}
	}
}

func TestPromotionIsAnOfferOnceCancellingHasClosed(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.CancellationCloses = 24 * time.Hour
	f := newFixture(t, slot)
	a := f.book(1)
	f.must(a)
	f.must(f.book(1))
	f.state.Now = slot.StartsAt.Add(-24 * time.Hour)
	_, err := f.apply(f.cancel(a))
	wantFault(t, err, fault.CancellationWindowClosed)
	byOrganizer := f.cancel(a)
	byOrganizer.By = seating.Actor{Role: seating.ActorOrganizer, Reason: "ill"}
	f.must(byOrganizer)
	f.must(seating.Promote{SlotID: f.slot})
	f.want(cancelled, offered)
}

func TestOfferIsAcceptedOrDeclined(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistMode = seating.WaitlistOffer
	f := newFixture(t, slot)
	first, second, third := f.book(1), f.book(1), f.book(1)
	f.must(first)
	f.must(second)
	f.must(third)
	_, err := f.apply(f.confirm(second, offered))
	wantFault(t, err, fault.InvalidTransition)
	f.must(f.cancel(first))
	f.must(seating.Promote{SlotID: f.slot})
	f.must(seating.Decline{SlotID: f.slot, BookingID: second.BookingID, UserID: second.UserID, By: seating.Actor{Role: seating.ActorAttendee}})
	declined := f.now().Version
	f.must(seating.Promote{SlotID: f.slot})
	f.want(cancelled, cancelled, offered)
	if last := f.state.Entries()[len(f.state.Entries())-1]; last.Cause.Version != declined {
		t.Errorf("the next offer is caused by %d, want the decline %d", last.Cause.Version, declined)
	}
	f.must(f.confirm(third, offered))
	f.want(cancelled, cancelled, confirmed)
	if last := f.state.Entries()[len(f.state.Entries())-1]; last.Kind != seating.KindAccepted {
		t.Errorf("last entry is %s", last.Kind)
	}
	_, err = f.apply(seating.Decline{SlotID: f.slot, BookingID: third.BookingID})
	wantFault(t, err, fault.InvalidTransition)
}

func TestExpiredOfferCannotBeAccepted(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistMode = seating.WaitlistOffer
	f := newFixture(t, slot)
	first, second := f.book(1), f.book(1)
	f.must(first)
	f.must(second)
	f.must(f.cancel(first))
	f.must(seating.Promote{SlotID: f.slot})
	f.state.Now = noon.Add(time.Hour)
	_, err := f.apply(f.confirm(second, offered))
	wantFault(t, err, fault.OfferExpired)
}

func TestExpiredOfferGoesToTheNext(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistMode = seating.WaitlistOffer
	f := newFixture(t, slot)
	a := f.book(1)
	f.must(a)
	f.must(f.book(1))
	f.must(f.book(1))
	f.must(f.cancel(a))
	f.must(seating.Promote{SlotID: f.slot})
	f.want(cancelled, offered, waitlisted)

	f.state.Now = noon.Add(time.Hour - time.Second)
	f.must(seating.Expire{SlotID: f.slot})
	f.want(cancelled, offered, waitlisted)
	f.state.Now = noon.Add(time.Hour) // the deadline itself is too late
	f.must(seating.Expire{SlotID: f.slot})
	f.want(cancelled, expired, offered)

	// Offers end by the start of the slot, and so does all waiting.
	f.state.Now = slot.StartsAt.Add(-time.Minute)
	last := f.book(1)
	f.must(last)
	f.must(f.book(1))
	f.must(f.book(1))
	f.must(f.cancel(last))
	f.must(seating.Promote{SlotID: f.slot})
	f.want(cancelled, expired, expired, cancelled, offered, waitlisted)
	f.state.Now = slot.StartsAt
	f.must(seating.Expire{SlotID: f.slot})
	f.want(cancelled, expired, expired, cancelled, expired, expired)
}

func TestPromotionGivesTheReplacedBookingBackInTheSameStep(t *testing.T) {
	t.Parallel()
	here, there := aSlot(1), aSlot(1)
	f := newFixture(t, here)
	f.state.AddSlot(there)
	user := uuid.New()
	old := seating.Book{BookingID: uuid.New(), SlotID: there.ID, UserID: user, Seats: 1}
	f.must(old)
	rival := f.book(1)
	f.must(rival)
	upgrade := seating.Booking{ID: uuid.New(), SlotID: here.ID, UserID: user, Seats: 1, Status: waitlisted,
		StartsAt: here.StartsAt, EndsAt: here.EndsAt, QueuedVersion: 99, Replaces: old.BookingID}
	next := seating.NewState(noon)
	slot := f.findSlot(here.ID)
	slot.WaitlistLength, slot.WaitlistReady = 1, 1
	next.AddSlot(slot)
	next.AddSlot(f.findSlot(there.ID))
	for _, b := range f.state.Bookings() {
		next.AddBooking(*b)
	}
	next.AddHead(upgrade)
	f.state = next
	f.must(f.cancel(rival))
	f.must(seating.Promote{SlotID: here.ID})
	for _, b := range f.state.Bookings() {
		if want := map[uuid.UUID]seating.Status{upgrade.ID: confirmed, old.BookingID: cancelled, rival.BookingID: cancelled}[b.ID]; b.Status != want {
			t.Errorf("booking is %s, want %s", b.Status, want)
		}
	}
	if s := f.findSlot(there.ID); s.SeatsTaken != 0 {
		t.Errorf("the old slot still has %d seats taken", s.SeatsTaken)
	}
}

// Keep and upgrade: at once if seats are free, otherwise when it is promoted.
func TestUpgradeGivesTheOldBookingBackWhenItGetsSeats(t *testing.T) {
	t.Parallel()
	f, slots := newEvent(t, 1, 1)
	user, rival := uuid.New(), f.book(1)
	old := seating.Book{BookingID: uuid.New(), SlotID: slots[1].ID, UserID: user, Seats: 1}
	f.must(old)
	f.must(rival)
	upgrade := seating.Book{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: user, Seats: 1, IfFull: seating.Wait, Replaces: old.BookingID, ReplacesSlotID: slots[1].ID}
	if r := f.must(upgrade); r.Booking.Status != waitlisted {
		t.Fatalf("upgrade is %s", r.Booking.Status)
	}
	f.must(f.cancel(rival))
	f.must(seating.Promote{SlotID: slots[0].ID})
	if a, b := f.booking(upgrade.BookingID), f.booking(old.BookingID); a.Status != confirmed || b.Status != cancelled || b.ReplacedBy != a.ID {
		t.Errorf("upgrade is %s, old booking %s replaced by %s", a.Status, b.Status, b.ReplacedBy)
	}
	// And back again, at once: the other slot is free.
	back := seating.Book{BookingID: uuid.New(), SlotID: slots[1].ID, UserID: user, Seats: 1, Replaces: upgrade.BookingID, ReplacesSlotID: slots[0].ID}
	if r := f.must(back); r.Booking.Status != confirmed || f.booking(upgrade.BookingID).Status != cancelled {
		t.Errorf("upgrade is %s", r.Booking.Status)
	}
	notMine := seating.Book{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: uuid.New(), Seats: 1, Replaces: back.BookingID, ReplacesSlotID: slots[1].ID}
	_, err := f.apply(notMine)
	wantFault(t, err, fault.ValidationFailed)
}

// Two waiting bookings name the same booking to replace. After one of them has
// replaced it, the other replaces that one.
func TestSecondUpgradeReplacesTheFirst(t *testing.T) {
	t.Parallel()
	f, slots := newEvent(t, 1, 1, 1)
	user := uuid.New()
	base := seating.Book{BookingID: uuid.New(), SlotID: slots[0].ID, UserID: user, Seats: 1}
	f.must(base)
	var rivals, upgrades []seating.Book
	for _, s := range slots[1:] {
		rival := f.book(1)
		rival.SlotID = s.ID
		f.must(rival)
		upgrade := seating.Book{BookingID: uuid.New(), SlotID: s.ID, UserID: user, Seats: 1, IfFull: seating.Wait, Replaces: base.BookingID, ReplacesSlotID: slots[0].ID}
		f.must(upgrade)
		rivals, upgrades = append(rivals, rival), append(upgrades, upgrade)
	}
	for i, rival := range rivals {
		f.must(seating.Cancel{SlotID: rival.SlotID, BookingID: rival.BookingID, UserID: rival.UserID, By: seating.Actor{Role: seating.ActorAttendee}})
		f.must(seating.Promote{SlotID: upgrades[i].SlotID})
	}
	if a, b, c := f.booking(base.BookingID), f.booking(upgrades[0].BookingID), f.booking(upgrades[1].BookingID); a.Status != cancelled || b.Status != cancelled || c.Status != confirmed {
		t.Errorf("base %s, first upgrade %s, second upgrade %s", a.Status, b.Status, c.Status)
	}
}

// Under first_fit the second in the queue fits the free seat: no newcomer may come
// first.
func TestEditedRulesMakeAPromotionDue(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(2))
	f.must(f.book(1))
	f.must(f.book(2))
	f.must(f.book(1))
	f.want(confirmed, waitlisted, waitlisted)
	r := f.must(seating.EditRules{SlotID: f.slot, WaitlistMode: seating.WaitlistAutomatic, Fit: seating.FitFirstFit, MaxPasses: 1, By: seating.System("test")})
	if r.Slot.PromotionDueAt.IsZero() {
		t.Error("no promotion is due")
	}
	f.must(f.book(1))
	f.want(confirmed, waitlisted, confirmed, waitlisted)
}

// What happens between the entry that freed a seat and the promotion, and frees none,
// does not become the promotion's cause.
func TestThePromotionNamesWhatFreedTheSeat(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(2))
	leaves, next, last := f.book(2), f.book(1), f.book(2)
	f.must(leaves)
	f.must(next)
	f.must(last)
	freed := f.must(f.cancel(leaves)).Slot.Version
	closed := seating.SlotClosed
	f.must(seating.EditSlot{SlotID: f.slot, Status: &closed, By: organizer})
	f.must(f.resize(last, 1, organizer))
	f.must(seating.Promote{SlotID: f.slot})
	f.want(cancelled, confirmed, confirmed)
	for _, e := range f.state.Entries() {
		if e.Kind == seating.KindPromoted && e.Cause != (seating.Cause{SlotID: f.slot, Version: freed}) {
			t.Errorf("the cause of entry %d is entry %d, want %d", e.Version, e.Cause.Version, freed)
		}
	}
}
