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

func TestCapacityCannotBeBelowTheTakenSeats(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(4))
	f.must(f.book(3))
	two := 2
	_, err := f.apply(seating.EditSlot{SlotID: f.slot, Capacity: &two})
	if m := wantFault(t, err, fault.CapacityBelowTaken); *m.SeatsTaken != 3 {
		t.Errorf("seats_taken is %v", *m.SeatsTaken)
	}
	_, err = f.apply(seating.EditSlot{SlotID: f.slot, Capacity: &two, Revision: 7})
	wantFault(t, err, fault.VersionMismatch)
}

func TestTimesOfASlotChangeUntilItStarts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(4))
	at := func(hours int) *time.Time { t := noon.Add(time.Duration(hours) * time.Hour); return &t }
	_, err := f.apply(seating.EditSlot{SlotID: f.slot, StartsAt: at(60)})
	wantFault(t, err, fault.InvalidTimeRange)
	_, err = f.apply(seating.EditSlot{SlotID: f.slot, StartsAt: at(-1)})
	wantFault(t, err, fault.InvalidTimeRange)
	_, err = f.apply(seating.EditSlot{SlotID: f.slot, EndsAt: at(800), MaxDuration: 31 * 24 * time.Hour})
	wantFault(t, err, fault.InvalidTimeRange)
	r := f.must(seating.EditSlot{SlotID: f.slot, StartsAt: at(60), EndsAt: at(61)})
	if r.Slot.Revision != 2 || !r.Slot.StartsAt.Equal(*at(60)) {
		t.Errorf("slot is %+v", r.Slot)
	}
	if r := f.must(seating.EditSlot{SlotID: f.slot, StartsAt: at(60)}); r.Slot.Revision != 2 {
		t.Error("an edit that changes nothing made a revision")
	}
	f.state.Now = *at(60)
	_, err = f.apply(seating.EditSlot{SlotID: f.slot, EndsAt: at(70)})
	wantFault(t, err, fault.SlotStarted)
}

func TestNewTimesCancelOverlappingBookingsIfDisplace(t *testing.T) {
	t.Parallel()
	f, slots := newEvent(t, 2, 2)
	busy, free := f.book(1), f.book(1)
	f.must(busy)
	f.must(free)
	f.must(seating.Book{BookingID: uuid.New(), SlotID: slots[1].ID, UserID: busy.UserID, Seats: 1})
	edit := seating.EditSlot{SlotID: slots[0].ID, StartsAt: &slots[1].StartsAt, EndsAt: &slots[1].EndsAt}
	_, err := f.apply(edit)
	wantFault(t, err, fault.EventHasBookings)
	edit.Displace = true
	f.must(edit)
	f.want(cancelled, confirmed)
}

func TestBookingsOfACancelledSlotAreCancelledBecauseOfIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(1))
	f.must(f.book(1))
	f.must(f.book(1))
	status := seating.SlotCancelled
	f.must(seating.EditSlot{SlotID: f.slot, Status: &status, By: seating.Actor{Role: seating.ActorOrganizer, Reason: "storm"}})
	at := f.now().Version
	f.must(seating.EditSlot{SlotID: f.slot, Status: &status}) // repeating it changes nothing
	if f.now().Version != at {
		t.Error("cancelling the slot twice made an entry")
	}
	if r := f.must(seating.CancelAllBookings{SlotID: f.slot}); r.More {
		t.Error("there is more after the last page")
	}
	f.want(cancelled, cancelled)
	for _, e := range f.state.Entries()[at:] {
		if e.Cause.Version != at {
			t.Errorf("entry %+v is not caused by the slot's cancellation", e)
		}
	}
	six := 6
	_, err := f.apply(seating.EditSlot{SlotID: f.slot, Capacity: &six})
	wantFault(t, err, fault.SlotCancelled)
}

func TestCancelAllBookingsKeepsBookingsOfAnOpenSlot(t *testing.T) {
	t.Parallel()
	f := newFixture(t, aSlot(1))
	f.must(f.book(1))
	f.must(seating.CancelAllBookings{SlotID: f.slot})
	f.want(confirmed)
}

// After any sequence of commands, the counters equal the bookings, the capacity is
// not exceeded, versions have no gaps, and nobody who can be served waits without
// a promotion being due.
func TestInvariantsHoldAfterAnyCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		slot := aSlot(rapid.IntRange(1, 6).Draw(rt, "capacity"))
		slot.Policy.Fit = rapid.SampledFrom([]seating.Fit{seating.FitStrict, seating.FitFirstFit}).Draw(rt, "fit")
		slot.Policy.WaitlistMode = rapid.SampledFrom([]seating.WaitlistMode{seating.WaitlistAutomatic, seating.WaitlistOffer}).Draw(rt, "mode")
		slot.Policy.MaxPasses = rapid.IntRange(0, 2).Draw(rt, "max passes")
		f := newFixture(rt, slot)
		var books []seating.Book
		rt.Repeat(map[string]func(*rapid.T){
			"book": func(rt *rapid.T) {
				b := f.book(rapid.IntRange(1, 4).Draw(rt, "seats"))
				b.IfFull = rapid.SampledFrom([]seating.IfFull{seating.Reject, seating.Wait}).Draw(rt, "if full")
				if _, err := f.apply(b); err == nil {
					books = append(books, b)
				}
			},
			"cancel": func(rt *rapid.T) {
				if len(books) > 0 {
					_, _ = f.apply(f.cancel(rapid.SampledFrom(books).Draw(rt, "booking")))
				}
			},
			"resize": func(rt *rapid.T) {
				n := rapid.IntRange(1, 8).Draw(rt, "capacity")
				_, _ = f.apply(seating.EditSlot{SlotID: f.slot, Capacity: &n})
			},
			"promote": func(*rapid.T) { f.must(seating.Promote{SlotID: f.slot}) },
			"wait": func(rt *rapid.T) {
				f.state.Now = f.state.Now.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
			},
			"": func(rt *rapid.T) { f.check(rt) },
		})
	})
}

func (f *fixture) check(t *rapid.T) {
	slot := f.now()
	taken, waiting, ready := 0, []*seating.Booking{}, []*seating.Booking{}
	for _, b := range f.state.Bookings() {
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
	for i, e := range f.state.Entries() {
		if e.Version != int64(i+1) || e.SeatsTaken > e.Capacity {
			t.Fatalf("entry %d is %+v", i, e)
		}
	}
	if !slot.PromotionDueAt.IsZero() {
		return
	}
	slices.SortFunc(ready, func(a, b *seating.Booking) int { return int(a.QueuedVersion - b.QueuedVersion) })
	for _, b := range ready {
		if b.Seats <= slot.Capacity-slot.SeatsTaken && !slot.Started(f.state.Now) {
			t.Fatalf("%s could be served and no promotion is due:\n%s", b.ID, f.describe())
		}
		if slot.Policy.Fit == seating.FitStrict || b.Passes >= slot.Policy.MaxPasses {
			return
		}
	}
}

func (f *fixture) describe() (text string) {
	for _, e := range f.state.Entries() {
		text += fmt.Sprintf("%d %s %s seats=%d → %d/%d, %d wait\n", e.Version, e.Kind, e.BookingID.String()[:4], e.Seats, e.SeatsTaken, e.Capacity, e.WaitlistLength)
	}
	return text
}
