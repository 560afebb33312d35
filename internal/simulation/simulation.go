// Package simulation estimates how the waitlist of a slot would go under other
// policies: it plays copies of the slot on package seating, with random
// cancellations.
package simulation

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Simulation is an estimate of how waitlist policies would do in a slot.
type Simulation struct {
	SlotID uuid.UUID
	// SlotVersion is the version at which the slot was copied.
	SlotVersion int64
	Assumptions
	// CancellationCloses is the time from which nobody cancels.
	CancellationCloses time.Time
	Policies           []Simulated
}

// Assumptions are about the future of a slot.
type Assumptions struct {
	// CancellationRate is the share of the confirmed bookings that are cancelled, 0 to
	// 1, at random times between now and Until.
	CancellationRate float64
	// Seed starts the random numbers: the same seed gives the same simulation.
	Seed uint64
	// Until is when it ends: at the slot's start, if this is nil or later.
	Until *time.Time
	// Runs is how many times each policy is played.
	Runs int
}

// DefaultAssumptions are those of a request that makes none.
var DefaultAssumptions = Assumptions{CancellationRate: 0.1, Seed: 1, Runs: 20}

// Simulated is how one policy did. Numbers are means of the runs.
type Simulated struct {
	Mode      seating.WaitlistMode
	Fit       seating.Fit
	MaxPasses int
	// Current says that it is the event's policy.
	Current bool
	// Promoted is how many of the waiting bookings were confirmed; the 10th and 90th
	// percentiles of the runs are beside it.
	Promoted, PromotedP10, PromotedP90 float64
	// StillWaiting is how many waited at the end, Passed how many passes there were.
	StillWaiting, Passed float64
	// WaitMedian is how long the promoted bookings waited from now on; 0 if there are none.
	WaitMedian time.Duration
}

// Limits, and what is assumed in every simulation.
const (
	maxRuns      = 200
	maxSimulated = 10_000
	// These shares of offers and holds are accepted and declined; the others expire.
	acceptRate  = 0.8
	declineRate = 0.1
)

// String describes the assumptions.
func (s Simulation) String() string {
	text := fmt.Sprintf("%.4g %% of the confirmed bookings are cancelled, at random times until %s",
		100*s.CancellationRate, s.Until.UTC().Format(time.RFC3339))
	if s.CancellationCloses.Before(*s.Until) {
		text += fmt.Sprintf(", but none from %s on, when cancelling closes", s.CancellationCloses.UTC().Format(time.RFC3339))
	}
	return text + fmt.Sprintf("; nobody else books, and everybody who waits is free at that time. Of offers and holds, %.0f %% are accepted and "+
		"%.0f %% declined, at random times before they expire. %s, seed %d.", 100*acceptRate, 100*declineRate, fault.Count(s.Runs, "run"), s.Seed)
}

// check refuses assumptions out of range, and slots that cannot be simulated.
func (o Assumptions) check(slot seating.Slot, now time.Time) error {
	invalid := func(pointer, detail string) error {
		return fault.Invalid(fault.Field{Pointer: pointer, Code: "range", Detail: detail})
	}
	switch {
	case !(0 <= o.CancellationRate && o.CancellationRate <= 1): // NaN too
		return invalid("/cancellation_rate", "must be between 0 and 1")
	case o.Runs < 1 || o.Runs > maxRuns:
		return invalid("/runs", fmt.Sprintf("must be between 1 and %d", maxRuns))
	case slot.Status == seating.SlotCancelled || slot.EventStatus == seating.EventCancelled:
		return fault.SlotCancelled.New("The slot was cancelled; there is nothing to simulate.").With(fault.Members{SlotVersion: new(slot.Version)})
	case slot.Started(now):
		return fault.SlotStarted.New("The slot has started; there is nothing to simulate.").With(fault.Members{SlotVersion: new(slot.Version)})
	case o.Until != nil && !o.Until.After(now):
		f := fault.InvalidTimeRange.New("until must be in the future.")
		f.Fields = []fault.Field{{Pointer: "/until", Code: "time_range", Detail: "must be in the future"}}
		return f
	}
	return nil
}

// cancellationCloses is the time from which nobody may cancel any more.
func cancellationCloses(slot seating.Slot, bookings []seating.Booking) time.Time {
	last := slot.StartsAt.Add(-slot.Policy.CancellationCloses)
	for i := range bookings {
		if at := slot.CancellationClosesAt(&bookings[i]); at.After(last) {
			last = at
		}
	}
	return last
}

// Simulate plays a slot from now on, under each policy. bookings are all its live
// ones, in any order. It does not change its arguments, and the same arguments give
// the same result. The only error is that ctx has ended.
func Simulate(ctx context.Context, slot seating.Slot, bookings []seating.Booking, now time.Time, o Assumptions) (Simulation, error) {
	if o.Until == nil || o.Until.After(slot.StartsAt) {
		o.Until = &slot.StartsAt
	}
	bookings = slices.SortedFunc(slices.Values(bookings), func(a, b seating.Booking) int {
		return cmp.Or(cmp.Compare(a.QueuedVersion, b.QueuedVersion), bytes.Compare(a.ID[:], b.ID[:]))
	})
	s := Simulation{SlotID: slot.ID, SlotVersion: slot.Version, Assumptions: o, CancellationCloses: cancellationCloses(slot, bookings)}
	for _, mode := range []seating.WaitlistMode{seating.WaitlistAutomatic, seating.WaitlistOffer} {
		for _, fit := range []seating.Fit{seating.FitStrict, seating.FitFirstFit} {
			policy := Simulated{Mode: mode, Fit: fit, MaxPasses: slot.Policy.MaxPasses,
				Current: slot.Policy.WaitlistMode == mode && slot.Policy.Fit == fit}
			slotUnderPolicy := slot
			slotUnderPolicy.Policy.WaitlistMode, slotUnderPolicy.Policy.Fit = mode, fit
			if err := policy.play(ctx, slotUnderPolicy, bookings, now, o); err != nil {
				return Simulation{}, err
			}
			s.Policies = append(s.Policies, policy)
		}
	}
	return s, nil
}

// play plays a policy o.Runs times, and sums up.
func (s *Simulated) play(ctx context.Context, slot seating.Slot, bookings []seating.Booking, now time.Time, o Assumptions) error {
	var promoted []int
	var waits []time.Duration
	for number := range o.Runs {
		r := newRun(slot, bookings, now, o, number)
		if err := r.play(ctx, *o.Until); err != nil {
			return err
		}
		promoted, waits = append(promoted, len(r.waits)), append(waits, r.waits...)
		s.Promoted += float64(len(r.waits))
		s.StillWaiting += float64(r.state.Slots()[0].WaitlistLength)
		for _, e := range r.state.Entries() {
			if e.Kind == seating.KindPassed {
				s.Passed++
			}
		}
	}
	runs := float64(o.Runs)
	s.Promoted, s.StillWaiting, s.Passed = s.Promoted/runs, s.StillWaiting/runs, s.Passed/runs
	slices.Sort(promoted)
	s.PromotedP10 = float64(promoted[o.Runs/10])
	s.PromotedP90 = float64(promoted[int(math.Ceil(0.9*runs))-1])
	if slices.Sort(waits); len(waits) > 0 {
		s.WaitMedian = waits[(len(waits)-1)/2]
	}
	return nil
}
