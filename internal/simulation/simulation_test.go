package simulation_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
	"eventbooking/internal/simulation"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// newSlot is a slot that starts in a hundred hours, with confirmed and waitlisted
// bookings of these sizes.
func newSlot(seated, waiting []int) (seating.Slot, []seating.Booking) {
	slot := seating.Slot{
		ID: uuid.New(), EventStatus: seating.EventPublished, Status: seating.SlotOpen,
		StartsAt: noon.Add(100 * time.Hour), EndsAt: noon.Add(102 * time.Hour), Version: 1,
		Policy: seating.Policy{WaitlistMode: seating.WaitlistAutomatic, WaitlistLimit: seating.NoLimit,
			OfferFor: time.Hour, Fit: seating.FitFirstFit, MaxPasses: 3},
	}
	var bookings []seating.Booking
	add := func(seats int, status seating.Status) {
		slot.Version++
		b := seating.Booking{ID: uuid.New(), SlotID: slot.ID, UserID: uuid.New(), Seats: seats, Status: status,
			StartsAt: slot.StartsAt, EndsAt: slot.EndsAt, Version: slot.Version}
		if status == seating.Waitlisted {
			b.QueuedVersion = slot.Version
			slot.WaitlistLength++
			slot.WaitlistReady++
		} else {
			slot.SeatsTaken += seats
			slot.Capacity += seats
		}
		bookings = append(bookings, b)
	}
	for _, seats := range seated {
		add(seats, seating.Confirmed)
	}
	for _, seats := range waiting {
		add(seats, seating.Waitlisted)
	}
	return slot, bookings
}

func sizes(n int, of ...int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = of[i%len(of)]
	}
	return list
}

// closeCancellation closes it so long before the start, for all bookings.
func closeCancellation(slot *seating.Slot, bookings []seating.Booking, before time.Duration) {
	slot.Policy.CancellationCloses = before
	for i := range bookings {
		bookings[i].CancellationCloses = before
	}
}

func simulate(t *testing.T, slot seating.Slot, bookings []seating.Booking, o simulation.Assumptions) simulation.Simulation {
	t.Helper()
	s, err := simulation.Simulate(t.Context(), slot, bookings, noon, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Policies) != 4 {
		t.Fatalf("%d policies", len(s.Policies))
	}
	return s
}

func TestSimulationIsTheSameForASeed(t *testing.T) {
	t.Parallel()
	slot, bookings := newSlot(sizes(40, 1, 2), sizes(30, 3, 1, 2))
	closeCancellation(&slot, bookings, 10*time.Hour)
	o := simulation.Assumptions{CancellationRate: 0.4, Seed: 7, Runs: 5}
	first := simulate(t, slot, bookings, o)
	for range 5 { // in whatever order they were loaded
		rand.Shuffle(len(bookings), func(i, j int) { bookings[i], bookings[j] = bookings[j], bookings[i] })
		if again := simulate(t, slot, bookings, o); !reflect.DeepEqual(again, first) {
			t.Fatalf("%+v\nis not\n%+v", again, first)
		}
	}
	o.Seed = 8
	if other := simulate(t, slot, bookings, o); reflect.DeepEqual(other.Policies, first.Policies) {
		t.Error("another seed gives the same")
	}
}

func TestCertainOutcomesAreExact(t *testing.T) {
	t.Parallel()
	t.Run("nobody cancels", func(t *testing.T) {
		t.Parallel()
		slot, bookings := newSlot(sizes(5, 1), sizes(3, 1))
		for _, p := range simulate(t, slot, bookings, simulation.Assumptions{Runs: 3}).Policies {
			if p.Promoted != 0 || p.StillWaiting != 3 || p.WaitMedian != 0 {
				t.Errorf("got %+v", p)
			}
		}
	})
	t.Run("nobody can cancel any more", func(t *testing.T) {
		t.Parallel()
		slot, bookings := newSlot(sizes(5, 1), sizes(3, 1))
		closeCancellation(&slot, bookings, 101*time.Hour)
		for _, p := range simulate(t, slot, bookings, simulation.Assumptions{CancellationRate: 1, Runs: 3}).Policies {
			if p.Promoted != 0 {
				t.Errorf("got %+v", p)
			}
		}
	})
	t.Run("everybody cancels", func(t *testing.T) {
		t.Parallel()
		slot, bookings := newSlot(sizes(50, 1), sizes(20, 1))
		for _, p := range simulate(t, slot, bookings, simulation.Assumptions{CancellationRate: 1, Runs: 10}).Policies {
			if p.Mode == seating.WaitlistAutomatic && (p.Promoted != 20 || p.StillWaiting != 0 || p.PromotedP10 != 20 || p.PromotedP90 != 20) {
				t.Errorf("got %+v", p)
			}
			if p.Mode == seating.WaitlistOffer && (p.Promoted >= 20 || p.Promoted < 10) {
				t.Errorf("no offers were declined or expired, or most were: %+v", p)
			}
			if p.WaitMedian <= 0 || p.WaitMedian >= 100*time.Hour || p.PromotedP10 > p.PromotedP90 {
				t.Errorf("got %+v", p)
			}
		}
	})
	t.Run("free seats are given out at once", func(t *testing.T) {
		t.Parallel()
		slot, bookings := newSlot(nil, sizes(250, 1)) // more than one page
		slot.Capacity = 250
		p := simulate(t, slot, bookings, simulation.Assumptions{Runs: 1}).Policies[0]
		if p.Promoted != 250 || p.WaitMedian != 0 {
			t.Errorf("got %+v", p)
		}
	})
}

// A large head holds everybody up under strict, and is passed under first_fit.
func TestSimulationTellsStrictFromFirstFit(t *testing.T) {
	t.Parallel()
	slot, bookings := newSlot(sizes(20, 1), []int{20, 1, 1, 1, 1, 1})
	s := simulate(t, slot, bookings, simulation.Assumptions{CancellationRate: 0.5, Seed: 1, Runs: 20})
	strict, firstFit := s.Policies[0], s.Policies[1]
	if strict.Promoted != 0 || strict.Passed != 0 || strict.Current {
		t.Errorf("strict: %+v", strict)
	}
	if firstFit.Promoted != 3 || firstFit.Passed != 3 || firstFit.StillWaiting != 3 || !firstFit.Current {
		t.Errorf("first fit, three passes: %+v", firstFit)
	}
}

func TestHoldsOffersAndBlockedBookingsArePartOfTheSimulation(t *testing.T) {
	t.Parallel()
	slot, bookings := newSlot(sizes(200, 1), sizes(200, 1))
	for i := range 200 {
		bookings[i].Status, bookings[i].ExpiresAt = seating.Held, noon.Add(time.Hour)
		if i%2 == 0 {
			bookings[i].Status = seating.Offered
		}
	}
	bookings[200].Blocked, bookings[200].BlockedBy = seating.BlockedOverlap, uuid.New()
	slot.WaitlistReady--
	p := simulate(t, slot, bookings, simulation.Assumptions{Runs: 4}).Policies[0]
	// About one in five gives the seat back or lets it expire.
	if p.Promoted < 20 || p.Promoted > 60 || p.StillWaiting != 200-p.Promoted || p.WaitMedian > time.Hour {
		t.Errorf("got %+v", p)
	}
}

func TestSimulationChangesNothing(t *testing.T) {
	t.Parallel()
	slot, bookings := newSlot(sizes(20, 1), sizes(20, 1))
	wasSlot, wasBookings := slot, append([]seating.Booking(nil), bookings...)
	simulate(t, slot, bookings, simulation.Assumptions{CancellationRate: 1, Runs: 2})
	if !reflect.DeepEqual(slot, wasSlot) || !reflect.DeepEqual(bookings, wasBookings) {
		t.Error("the arguments were changed")
	}
}

func TestSimulationEndsWithItsContext(t *testing.T) {
	t.Parallel()
	slot, bookings := newSlot(sizes(5, 1), sizes(5, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := simulation.Simulate(ctx, slot, bookings, noon, simulation.Assumptions{CancellationRate: 1, Runs: 1}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSimulationDescribesItsAssumptions(t *testing.T) {
	t.Parallel()
	slot, bookings := newSlot(sizes(1, 1), nil)
	closeCancellation(&slot, bookings, 10*time.Hour)
	text := simulate(t, slot, bookings, simulation.DefaultAssumptions).String()
	for _, want := range []string{"10 %", "until 2026-06-05T16:00:00Z", "from 2026-06-05T06:00:00Z on", "nobody else books", "20 runs, seed 1."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
}

// The largest simulation that is allowed.
func BenchmarkSimulation(b *testing.B) {
	slot, bookings := newSlot(sizes(5000, 1, 2), sizes(5000, 3, 1, 2))
	for b.Loop() {
		if _, err := simulation.Simulate(b.Context(), slot, bookings, noon, simulation.Assumptions{CancellationRate: 0.3, Runs: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
