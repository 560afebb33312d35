package seating_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// desktop is the pure slot machine with one slot, without any database.
type desktop struct {
	t     tester
	state *seating.State
	slot  uuid.UUID
	made  []uuid.UUID
}

type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func aSlot(capacity int) seating.Slot {
	return seating.Slot{
		ID: uuid.New(), EventID: uuid.New(), OrganizerID: uuid.New(),
		EventStatus: seating.EventPublished, Status: seating.SlotOpen,
		StartsAt: noon.Add(48 * time.Hour), EndsAt: noon.Add(50 * time.Hour), Capacity: capacity, Revision: 1,
		Policy: seating.Policy{WaitlistMode: seating.WaitlistAutomatic, WaitlistLimit: seating.NoLimit, OfferFor: time.Hour, Fit: seating.FitStrict, MaxPasses: 3},
	}
}

func newDesktop(t tester, slot seating.Slot) *desktop {
	s := seating.NewState(noon)
	s.AddSlot(slot)
	return &desktop{t: t, state: s, slot: slot.ID}
}

func (d *desktop) apply(c seating.Command) (seating.Result, error) { return d.state.Apply(c) }

func (d *desktop) must(c seating.Command) seating.Result {
	d.t.Helper()
	r, err := d.apply(c)
	if err != nil {
		d.t.Fatalf("%T: %v", c, err)
	}
	return r
}

// book is a booking by a new user.
func (d *desktop) book(seats int) seating.Book {
	id := uuid.New()
	d.made = append(d.made, id)
	return seating.Book{BookingID: id, SlotID: d.slot, UserID: uuid.New(), Seats: seats, IfFull: seating.Wait, By: seating.By{Actor: seating.ByAttendee}}
}

func (d *desktop) cancel(b seating.Book) seating.Cancel {
	return seating.Cancel{SlotID: d.slot, BookingID: b.BookingID, UserID: b.UserID, By: seating.By{Actor: seating.ByAttendee}}
}

func (d *desktop) now() seating.Slot { return *d.state.Slots()[0] }

// statuses tells how the bookings stand, in the order of their making.
func (d *desktop) statuses() (all []seating.Status) {
	for _, id := range d.made {
		for _, b := range d.state.Bookings() {
			if b.ID == id {
				all = append(all, b.Status)
			}
		}
	}
	return all
}

func (d *desktop) want(statuses ...seating.Status) {
	d.t.Helper()
	if got := d.statuses(); !slices.Equal(got, statuses) {
		d.t.Errorf("statuses are %v, want %v", got, statuses)
	}
}

func (d *desktop) kinds() (kinds []seating.Kind) {
	for _, e := range d.state.Entries() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

const (
	confirmed  = seating.Confirmed
	waitlisted = seating.Waitlisted
	cancelled  = seating.Cancelled
	offered    = seating.Offered
	expired    = seating.Expired
)

func TestBookIsRefusedInThisOrder(t *testing.T) {
	t.Parallel()
	// Each case adds one more reason in front of those before it.
	spoil := []struct {
		code  *fault.Code
		spoil func(*seating.Slot, *seating.Book)
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
	for _, c := range spoil {
		c.spoil(&slot, &book)
		d := newDesktop(t, slot)
		_, err := d.apply(book)
		wantFault(t, err, c.code)
		if len(d.state.Entries()) > 0 {
			t.Errorf("%s left a trace: %v", c.code.Name, d.kinds())
		}
	}
}

func TestOrganizersSeeWhyADraftTakesNoBookings(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.EventStatus = seating.EventDraft
	d := newDesktop(t, slot)
	b := d.book(1)
	b.SeesDraft = true
	_, err := d.apply(b)
	wantFault(t, err, fault.EventNotPublished)
}

func TestStrictLetsNobodyPass(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, aSlot(3))
	a, big, small := d.book(3), d.book(2), d.book(1)
	d.must(a)
	d.must(big)
	d.must(small)
	d.want(confirmed, waitlisted, waitlisted)

	// One seat is free, the head wants two: everybody behind it waits, newcomers too.
	one := 4
	d.must(seating.EditSlot{SlotID: d.slot, Capacity: &one})
	d.must(seating.Promote{SlotID: d.slot})
	late := d.book(1)
	late.IfFull = seating.Reject
	_, err := d.apply(late)
	wantFault(t, err, fault.SlotFull)
	d.want(confirmed, waitlisted, waitlisted)

	// The head leaves: the next one is served, because of that.
	d.must(d.cancel(big))
	leaving := d.now().Version
	d.must(seating.Promote{SlotID: d.slot})
	d.want(confirmed, cancelled, confirmed)
	last := d.state.Entries()[len(d.state.Entries())-1]
	if last.Kind != seating.KindPromoted || last.Cause.Version != leaving {
		t.Errorf("last entry is %s caused by %d, want promoted by %d", last.Kind, last.Cause.Version, leaving)
	}
}

func TestFirstFitPassesAFewTimes(t *testing.T) {
	t.Parallel()
	slot := aSlot(4)
	slot.Policy.Fit, slot.Policy.MaxPasses = seating.FitFirstFit, 2
	d := newDesktop(t, slot)
	first := d.book(4)
	d.must(first)
	big := d.book(3)
	d.must(big)
	for range 4 {
		d.must(d.book(1))
	}
	// Two seats are free for the two smallest behind the head of three.
	six := 6
	d.must(seating.EditSlot{SlotID: d.slot, Capacity: &six})
	d.must(seating.Promote{SlotID: d.slot})
	d.want(confirmed, waitlisted, confirmed, confirmed, waitlisted, waitlisted)

	// Now the head was passed twice: from here on it blocks like strict.
	seven := 7
	d.must(seating.EditSlot{SlotID: d.slot, Capacity: &seven})
	d.must(seating.Promote{SlotID: d.slot})
	late := d.book(1)
	d.must(late)
	d.want(confirmed, waitlisted, confirmed, confirmed, waitlisted, waitlisted, waitlisted)

	var passes int
	for _, e := range d.state.Entries() {
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

func TestNewcomerPassesUnderFirstFit(t *testing.T) {
	t.Parallel()
	slot := aSlot(4)
	slot.Policy.Fit = seating.FitFirstFit
	d := newDesktop(t, slot)
	d.must(d.book(3))
	d.must(d.book(2)) // waits: one seat is left
	r := d.must(d.book(1))
	if r.Booking.Status != confirmed {
		t.Fatalf("newcomer is %s", r.Booking.Status)
	}
	if kinds := d.kinds(); !slices.Equal(kinds[2:], []seating.Kind{seating.KindConfirmed, seating.KindPassed}) {
		t.Errorf("ledger is %v", kinds)
	}
}

func TestWaitlistLimitIsCheckedAfterPromotion(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistLimit = 1
	d := newDesktop(t, slot)
	a := d.book(1)
	d.must(a)
	d.must(d.book(1))
	_, err := d.apply(d.book(1))
	wantFault(t, err, fault.WaitlistFull)
	// The seat that is freed goes to the one who waits, and there is room in the queue again.
	d.must(d.cancel(a))
	r := d.must(d.book(1))
	if r.Booking.Status != waitlisted || len(r.Promoted) != 1 {
		t.Errorf("newcomer is %s, %d promoted", r.Booking.Status, len(r.Promoted))
	}
}

func TestNoWaitlist(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistMode = seating.WaitlistOff
	d := newDesktop(t, slot)
	d.must(d.book(1))
	_, err := d.apply(d.book(1))
	wantFault(t, err, fault.WaitlistDisabled)
	reject := d.book(1)
	reject.IfFull = seating.Reject
	_, err = d.apply(reject)
	if f := wantFault(t, err, fault.SlotFull); f["waitlist_open"] != false {
		t.Errorf("waitlist_open is %v", f["waitlist_open"])
	}
}

func TestOffersRunOutAndPassOn(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.WaitlistMode = seating.WaitlistOffer
	d := newDesktop(t, slot)
	a := d.book(1)
	d.must(a)
	d.must(d.book(1))
	d.must(d.book(1))
	d.must(d.cancel(a))
	d.must(seating.Promote{SlotID: d.slot})
	d.want(cancelled, offered, waitlisted)

	d.state.Now = noon.Add(time.Hour - time.Second)
	d.must(seating.Expire{SlotID: d.slot})
	d.want(cancelled, offered, waitlisted)
	d.state.Now = noon.Add(time.Hour) // the deadline itself is too late
	d.must(seating.Expire{SlotID: d.slot})
	d.want(cancelled, expired, offered)

	// Never past the start; and then all waiting is over.
	d.state.Now = slot.StartsAt.Add(-time.Minute)
	last := d.book(1)
	d.must(last)
	d.must(d.book(1))
	d.must(d.book(1))
	d.must(d.cancel(last))
	d.must(seating.Promote{SlotID: d.slot})
	d.want(cancelled, expired, expired, cancelled, offered, waitlisted)
	d.state.Now = slot.StartsAt
	d.must(seating.Expire{SlotID: d.slot})
	d.want(cancelled, expired, expired, cancelled, expired, expired)
}

func TestInsideTheCancellationWindowPromotionAsksFirst(t *testing.T) {
	t.Parallel()
	slot := aSlot(1)
	slot.Policy.CancellationCloses = 24 * time.Hour
	d := newDesktop(t, slot)
	a := d.book(1)
	d.must(a)
	d.must(d.book(1))
	d.state.Now = slot.StartsAt.Add(-24 * time.Hour)
	_, err := d.apply(d.cancel(a))
	wantFault(t, err, fault.CancellationWindowClosed)
	byOrganizer := d.cancel(a)
	byOrganizer.By = seating.By{Actor: seating.ByOrganizer, Reason: "ill"}
	d.must(byOrganizer)
	d.must(seating.Promote{SlotID: d.slot})
	d.want(cancelled, offered)
}

func TestCancellingTwiceIsOnce(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, aSlot(1))
	a := d.book(1)
	d.must(a)
	d.must(d.cancel(a))
	before := len(d.state.Entries())
	if r := d.must(d.cancel(a)); r.Booking.Status != cancelled || len(d.state.Entries()) != before {
		t.Error("the second cancellation did something")
	}
}

func TestTooLargeForTheNewCapacityIsBlockedUntilItRises(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, aSlot(4))
	a := d.book(2)
	d.must(a)
	d.must(d.book(4))
	d.must(d.book(1))
	to := func(n int) {
		d.must(seating.EditSlot{SlotID: d.slot, Capacity: &n})
		d.must(seating.Promote{SlotID: d.slot})
	}
	to(3)
	d.want(confirmed, waitlisted, confirmed)
	if s := d.now(); s.WaitlistLength != 1 || s.WaitlistReady != 0 {
		t.Errorf("%d wait, %d ready", s.WaitlistLength, s.WaitlistReady)
	}
	to(7)
	d.want(confirmed, confirmed, confirmed)
}

// Somebody who has seats elsewhere, and is too many for the free ones, waits; but
// nobody behind on his account.
func TestBusyNewcomerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	there := aSlot(1)
	d := newDesktop(t, aSlot(3))
	d.state.AddSlot(there)
	d.must(d.book(1))
	busy, behind := d.book(3), d.book(2)
	d.must(seating.Book{BookingID: uuid.New(), SlotID: there.ID, UserID: busy.UserID, Seats: 1})
	d.must(busy)
	d.must(behind)
	d.want(confirmed, waitlisted, confirmed)
}

func TestCapacityStaysAboveWhatIsTaken(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, aSlot(4))
	d.must(d.book(3))
	two, one := 2, int64(7)
	_, err := d.apply(seating.EditSlot{SlotID: d.slot, Capacity: &two})
	if f := wantFault(t, err, fault.CapacityBelowTaken); f["seats_taken"] != 3 {
		t.Errorf("seats_taken is %v", f["seats_taken"])
	}
	_, err = d.apply(seating.EditSlot{SlotID: d.slot, Capacity: &two, Revision: one})
	wantFault(t, err, fault.VersionMismatch)
}

func TestTimesOfASlot(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, aSlot(4))
	at := func(hours int) *time.Time { t := noon.Add(time.Duration(hours) * time.Hour); return &t }
	_, err := d.apply(seating.EditSlot{SlotID: d.slot, StartsAt: at(60)})
	wantFault(t, err, fault.InvalidTimeRange)
	_, err = d.apply(seating.EditSlot{SlotID: d.slot, StartsAt: at(-1)})
	wantFault(t, err, fault.InvalidTimeRange)
	r := d.must(seating.EditSlot{SlotID: d.slot, StartsAt: at(60), EndsAt: at(61)})
	if r.Slot.Revision != 2 || !r.Slot.StartsAt.Equal(*at(60)) {
		t.Errorf("slot is %+v", r.Slot)
	}
	if r := d.must(seating.EditSlot{SlotID: d.slot, StartsAt: at(60)}); r.Slot.Revision != 2 {
		t.Error("an edit that changes nothing made a revision")
	}
	d.state.Now = *at(60)
	_, err = d.apply(seating.EditSlot{SlotID: d.slot, EndsAt: at(70)})
	wantFault(t, err, fault.SlotStarted)
}

func TestCancelledSlotIsClearedInPages(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, aSlot(1))
	d.must(d.book(1))
	d.must(d.book(1))
	gone := seating.SlotCancelled
	d.must(seating.EditSlot{SlotID: d.slot, Status: &gone, By: seating.By{Actor: seating.ByOrganizer, Reason: "storm"}})
	at := d.now().Version
	d.must(seating.EditSlot{SlotID: d.slot, Status: &gone}) // twice is once
	if d.now().Version != at {
		t.Error("cancelling the slot twice made an entry")
	}
	if r := d.must(seating.Clear{SlotID: d.slot}); r.More {
		t.Error("more after the last page")
	}
	d.want(cancelled, cancelled)
	for _, e := range d.state.Entries()[at:] {
		if e.Cause.Version != at {
			t.Errorf("entry %+v is not caused by the slot's cancellation", e)
		}
	}
	six := 6
	_, err := d.apply(seating.EditSlot{SlotID: d.slot, Capacity: &six})
	wantFault(t, err, fault.SlotCancelled)
}

func TestClearLeavesALiveSlotAlone(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, aSlot(1))
	d.must(d.book(1))
	d.must(seating.Clear{SlotID: d.slot})
	d.want(confirmed)
}

// Keep and upgrade: the promotion gives the old booking back in the same step.
func TestUpgradeGivesTheOldBookingBack(t *testing.T) {
	t.Parallel()
	here, there := aSlot(1), aSlot(1)
	d := newDesktop(t, here)
	d.state.AddSlot(there)
	user := uuid.New()
	old := seating.Book{BookingID: uuid.New(), SlotID: there.ID, UserID: user, Seats: 1}
	d.must(old)
	blocker := d.book(1)
	d.must(blocker)
	wish := seating.Booking{ID: uuid.New(), SlotID: here.ID, UserID: user, Seats: 1, Status: waitlisted,
		StartsAt: here.StartsAt, EndsAt: here.EndsAt, QueuedVersion: 99, Replaces: old.BookingID}
	next := seating.NewState(noon)
	slot := d.findSlot(here.ID)
	slot.WaitlistLength, slot.WaitlistReady = 1, 1
	next.AddSlot(slot)
	next.AddSlot(d.findSlot(there.ID))
	for _, b := range d.state.Bookings() {
		next.AddBooking(*b)
	}
	next.AddHead(wish)
	d.state = next
	d.must(d.cancel(blocker))
	d.must(seating.Promote{SlotID: here.ID})
	for _, b := range d.state.Bookings() {
		if want := map[uuid.UUID]seating.Status{wish.ID: confirmed, old.BookingID: cancelled, blocker.BookingID: cancelled}[b.ID]; b.Status != want {
			t.Errorf("booking is %s, want %s", b.Status, want)
		}
	}
	if s := d.findSlot(there.ID); s.SeatsTaken != 0 {
		t.Errorf("the old slot still has %d seats taken", s.SeatsTaken)
	}
}

func (d *desktop) findSlot(id uuid.UUID) seating.Slot {
	for _, s := range d.state.Slots() {
		if s.ID == id {
			return *s
		}
	}
	return seating.Slot{}
}

// Whatever commands come in whatever order: counters equal the bookings, the
// capacity holds, versions have no gaps, and when the machine says that nobody
// can be served, nobody can.
func TestInvariantsHold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		slot := aSlot(rapid.IntRange(1, 6).Draw(rt, "capacity"))
		slot.Policy.Fit = rapid.SampledFrom([]seating.Fit{seating.FitStrict, seating.FitFirstFit}).Draw(rt, "fit")
		slot.Policy.WaitlistMode = rapid.SampledFrom([]seating.WaitlistMode{seating.WaitlistAutomatic, seating.WaitlistOffer}).Draw(rt, "mode")
		slot.Policy.MaxPasses = rapid.IntRange(0, 2).Draw(rt, "max passes")
		d := newDesktop(rt, slot)
		var books []seating.Book
		rt.Repeat(map[string]func(*rapid.T){
			"book": func(rt *rapid.T) {
				b := d.book(rapid.IntRange(1, 4).Draw(rt, "seats"))
				b.IfFull = rapid.SampledFrom([]seating.IfFull{seating.Reject, seating.Wait}).Draw(rt, "if full")
				if _, err := d.apply(b); err == nil {
					books = append(books, b)
				}
			},
			"cancel": func(rt *rapid.T) {
				if len(books) > 0 {
					_, _ = d.apply(d.cancel(rapid.SampledFrom(books).Draw(rt, "booking")))
				}
			},
			"resize": func(rt *rapid.T) {
				n := rapid.IntRange(1, 8).Draw(rt, "capacity")
				_, _ = d.apply(seating.EditSlot{SlotID: d.slot, Capacity: &n})
			},
			"promote": func(*rapid.T) { d.must(seating.Promote{SlotID: d.slot}) },
			"wait": func(rt *rapid.T) {
				d.state.Now = d.state.Now.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
			},
			"": func(rt *rapid.T) { d.check(rt) },
		})
	})
}

func (d *desktop) check(t *rapid.T) {
	slot := d.now()
	taken, waiting, ready := 0, []*seating.Booking{}, []*seating.Booking{}
	for _, b := range d.state.Bookings() {
		switch {
		case b.Status.TakesSeats():
			taken += b.Seats
		case b.Ready():
			ready = append(ready, b)
			waiting = append(waiting, b)
		case b.Status == waitlisted:
			waiting = append(waiting, b)
		}
	}
	if taken != slot.SeatsTaken || len(waiting) != slot.WaitlistLength || len(ready) != slot.WaitlistReady {
		t.Fatalf("counters %d/%d/%d, bookings %d/%d/%d", slot.SeatsTaken, slot.WaitlistLength, slot.WaitlistReady, taken, len(waiting), len(ready))
	}
	if taken > slot.Capacity {
		t.Fatalf("oversold: %d of %d", taken, slot.Capacity)
	}
	for i, e := range d.state.Entries() {
		if e.Version != int64(i+1) || e.SeatsTaken > e.Capacity {
			t.Fatalf("entry %d is %+v", i, e)
		}
	}
	if !slot.PromotionDueAt.IsZero() {
		return
	}
	slices.SortFunc(ready, func(a, b *seating.Booking) int { return int(a.QueuedVersion - b.QueuedVersion) })
	for _, b := range ready {
		if b.Seats <= slot.Capacity-slot.SeatsTaken && !slot.Started(d.state.Now) {
			t.Fatalf("%s could be served and nobody looks:\n%s", b.ID, d.story())
		}
		if slot.Policy.Fit == seating.FitStrict || b.Passes >= slot.Policy.MaxPasses {
			return
		}
	}
}

func (d *desktop) story() (text string) {
	for _, e := range d.state.Entries() {
		text += fmt.Sprintf("%d %s %s seats=%d → %d/%d, %d wait\n", e.Version, e.Kind, e.BookingID.String()[:4], e.Seats, e.SeatsTaken, e.Capacity, e.WaitlistLength)
	}
	return text
}

// A busy newcomer makes a promotion due, and who waits first leaves in the same
// moment: the promotion of the second has a cause, though nothing was ever freed.
func TestAPromotionHasACauseWhereNothingWasFreed(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, aSlot(3))
	first := d.book(3)
	d.must(d.book(2))
	d.must(first)
	d.must(d.book(1))

	busy := d.book(1)
	elsewhere := aSlot(1)
	d.state.AddSlot(elsewhere)
	there := d.book(1)
	there.SlotID, there.UserID = elsewhere.ID, busy.UserID
	d.must(there)
	d.must(busy)
	left := d.must(d.cancel(first))
	d.must(seating.Promote{SlotID: d.slot})
	d.want(cancelled, confirmed, confirmed, waitlisted, confirmed)
	for _, e := range d.state.Entries() {
		if e.Kind == seating.KindPromoted && e.Cause != (seating.Cause{SlotID: d.slot, Version: left.Slot.Version}) {
			t.Errorf("the cause is %v, want entry %d, by which the first left", e.Cause, left.Slot.Version)
		}
	}
}
