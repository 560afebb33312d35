// Package simulation estimates how waitlist policies would come out: it plays a copy
// of a slot on with the pure core of package seating, with cancellations made up.
package simulation

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Simulation is how waitlist policies come out on a copy of a slot, with
// cancellations made up: an estimate.
type Simulation struct {
	SlotID uuid.UUID
	// SlotVersion is that of the copy.
	SlotVersion int64
	Assumptions
	// CancellationCloses is from when on nobody cancels.
	CancellationCloses time.Time
	Policies           []Simulated
}

// Assumptions are what nobody knows about the future of a slot.
type Assumptions struct {
	// CancellationRate is how many of the confirmed bookings are cancelled, at
	// random times between now and Until.
	CancellationRate float64
	// Seed is where the random numbers begin: the same seed, the same simulation.
	Seed uint64
	// Until is where it ends: at the slot's start when it is zero or later.
	Until time.Time
	// Runs is how often each policy is played.
	Runs int
}

// DefaultAssumptions are those of a request that makes none.
var DefaultAssumptions = Assumptions{CancellationRate: 0.1, Seed: 1, Runs: 20}

// Simulated is how one policy came out. Numbers are means of the runs.
type Simulated struct {
	Mode      seating.WaitlistMode
	Fit       seating.Fit
	MaxPasses int
	// Current says that it is the event's own.
	Current bool
	// Promoted is how many of those who wait got in; 80 % of the runs lie between the others.
	Promoted, PromotedP10, PromotedP90 float64
	// StillWaiting is how many waited at the end, Passed how often somebody was passed.
	StillWaiting, Passed float64
	// WaitMedian is how long those who got in had to wait; 0 if nobody did.
	WaitMedian time.Duration
}

// Bounds, and what is assumed without being asked.
const (
	maxRuns      = 200
	maxSimulated = 10_000
	// Of those who are offered seats, or hold some, so many take them, and so many
	// give them back; the others let them expire.
	acceptRate  = 0.8
	declineRate = 0.1
)

// String says what was assumed, for people.
func (s Simulation) String() string {
	what := fmt.Sprintf("%.4g %% of the confirmed bookings are cancelled, at random times until %s",
		100*s.CancellationRate, s.Until.UTC().Format(time.RFC3339))
	if s.CancellationCloses.Before(s.Until) {
		what += fmt.Sprintf(", but none from %s on, when cancelling closes", s.CancellationCloses.UTC().Format(time.RFC3339))
	}
	return what + fmt.Sprintf("; nobody else books, and who waits can come. Of offers and holds, %.0f %% are accepted and "+
		"%.0f %% declined, at random times while they stand. %d runs, seed %d.", 100*acceptRate, 100*declineRate, s.Runs, s.Seed)
}

// check holds the bounds, and the end against the slot's times.
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
	case !o.Until.IsZero() && !o.Until.After(now):
		f := fault.InvalidTimeRange.New("until must be in the future.")
		f.Fields = []fault.Field{{Pointer: "/until", Code: "time_range", Detail: "must be in the future"}}
		return f
	}
	return nil
}

// Simulate plays a slot on, from now on, under each policy. slot must be as it
// was loaded, bookings all its live ones, in any order. It changes nothing, and
// the same arguments give the same answer. The error is that ctx has ended.
func Simulate(ctx context.Context, slot seating.Slot, bookings []seating.Booking, now time.Time, o Assumptions) (Simulation, error) {
	if o.Until.IsZero() || o.Until.After(slot.StartsAt) {
		o.Until = slot.StartsAt
	}
	bookings = slices.SortedFunc(slices.Values(bookings), func(a, b seating.Booking) int {
		return cmp.Or(cmp.Compare(a.QueuedVersion, b.QueuedVersion), bytes.Compare(a.ID[:], b.ID[:]))
	})
	s := Simulation{SlotID: slot.ID, SlotVersion: slot.Version, Assumptions: o, CancellationCloses: slot.CancellationClosesAt()}
	for _, mode := range []seating.WaitlistMode{seating.WaitlistAutomatic, seating.WaitlistOffer} {
		for _, fit := range []seating.Fit{seating.FitStrict, seating.FitFirstFit} {
			policy := Simulated{Mode: mode, Fit: fit, MaxPasses: slot.Policy.MaxPasses,
				Current: slot.Policy.WaitlistMode == mode && slot.Policy.Fit == fit}
			played := slot
			played.Policy.WaitlistMode, played.Policy.Fit = mode, fit
			if err := policy.play(ctx, played, bookings, now, o); err != nil {
				return Simulation{}, err
			}
			s.Policies = append(s.Policies, policy)
		}
	}
	return s, nil
}

// play plays a policy so many times, and sums up.
func (s *Simulated) play(ctx context.Context, slot seating.Slot, bookings []seating.Booking, now time.Time, o Assumptions) error {
	var promoted []int
	var waits []time.Duration
	for run := range o.Runs {
		p := newPlay(slot, bookings, now, o, run)
		if err := p.play(ctx, o.Until); err != nil {
			return err
		}
		promoted, waits = append(promoted, len(p.waits)), append(waits, p.waits...)
		s.Promoted += float64(len(p.waits))
		s.StillWaiting += float64(p.state.Slots()[0].WaitlistLength)
		for _, e := range p.state.Entries() {
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

// play is one run: a copy of the slot, and what will happen to it.
type play struct {
	state  *seating.State
	slotID uuid.UUID
	began  time.Time
	people map[uuid.UUID]*person
	future future
	// waits are how long those who waited at the beginning and got in had to.
	waits []time.Duration
}

// person is one booking, as it stands, with what its user will do, whatever the
// policy is: policies are compared on the same people.
type person struct {
	seating.Booking
	order int
	// waited: it stood in the queue at the beginning.
	waited bool
	// cancels is whether it is given back at cancelsAt, if it is confirmed then.
	cancels   bool
	cancelsAt time.Time
	// answer is what becomes of an offer, after which part of its time.
	answer answer
	delay  float64
}

type answer int

const (
	accepts answer = iota
	declines
	isSilent
)

func newPlay(slot seating.Slot, bookings []seating.Booking, now time.Time, o Assumptions, run int) *play {
	p := &play{state: seating.NewState(now), slotID: slot.ID, began: now, people: make(map[uuid.UUID]*person, len(bookings))}
	p.state.AddSlot(slot)
	random := rand.New(rand.NewPCG(o.Seed, uint64(run)))
	for i, b := range bookings {
		b.Replaces = uuid.Nil // It is in another slot, which is not played.
		if b.Ready() {
			p.state.AddHead(b)
		} else {
			p.state.AddBooking(b)
		}
		who := newPerson(b, i, random, now, o)
		p.people[b.ID] = who
		if who.cancels && who.cancelsAt.Before(slot.CancellationClosesAt()) {
			p.future = append(p.future, happening{at: who.cancelsAt, who: who, cancels: true})
		}
		if b.Status == seating.Held || b.Status == seating.Offered {
			p.future = append(p.future, who.answers(now))
		}
	}
	heap.Init(&p.future)
	return p
}

// newPerson draws the same numbers for everybody, so that nobody's fate depends
// on another's.
func newPerson(b seating.Booking, order int, random *rand.Rand, now time.Time, o Assumptions) *person {
	cancels, when, says, delay := random.Float64(), random.Float64(), random.Float64(), random.Float64()
	who := &person{Booking: b, order: order, waited: b.Status == seating.Waitlisted, answer: isSilent, delay: delay}
	who.cancels, who.cancelsAt = cancels < o.CancellationRate, part(now, o.Until, when)
	switch {
	case says < acceptRate:
		who.answer = accepts
	case says < acceptRate+declineRate:
		who.answer = declines
	}
	return who
}

// answers is when the person answers an offer, or lets it expire.
func (w *person) answers(now time.Time) happening {
	if w.answer == isSilent {
		return happening{at: w.ExpiresAt, who: w}
	}
	return happening{at: part(now, w.ExpiresAt, w.delay), who: w}
}

// part is a moment between two others.
func part(from, to time.Time, of float64) time.Time {
	return from.Add(time.Duration(of * float64(to.Sub(from))))
}

// play lets everything happen, in order, until the end.
func (p *play) play(ctx context.Context, until time.Time) error {
	p.promote()
	for len(p.future) > 0 && p.future[0].at.Before(until) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		next := heap.Pop(&p.future).(happening)
		p.state.Now = next.at
		p.happen(next)
		p.promote()
	}
	return nil
}

// happen lets a person act, as far as it is still possible.
func (p *play) happen(h happening) {
	b := h.who.Booking
	by := seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}
	give := seating.Cancel{SlotID: p.slotID, BookingID: b.ID, UserID: b.UserID, By: by}
	switch {
	case h.cancels && b.Status == seating.Confirmed, !h.cancels && h.who.answer == declines:
		p.apply(give)
	case h.cancels: // It is not confirmed, so there is nothing to give back.
	case h.who.answer == accepts:
		p.apply(seating.Confirm{SlotID: p.slotID, BookingID: b.ID, UserID: b.UserID, From: b.Status, By: by})
	default:
		p.apply(seating.Expire{SlotID: p.slotID})
	}
}

// promote serves the queue as the service does: page by page.
func (p *play) promote() {
	for p.apply(seating.Promote{SlotID: p.slotID}) {
	}
}

// apply lets the slot machine decide, and says whether there is more of the same
// to do. A refusal is of somebody who came too late; then nothing happens.
func (p *play) apply(c seating.Command) (more bool) {
	r, err := p.state.Apply(c)
	if err != nil {
		return false
	}
	for _, b := range append(r.Promoted, r.Booking) {
		p.note(b)
	}
	return r.More
}

// note follows what became of a booking.
func (p *play) note(b seating.Booking) {
	who := p.people[b.ID]
	if who == nil || who.Status == b.Status {
		return
	}
	who.Booking = b
	switch {
	case b.Status == seating.Offered:
		heap.Push(&p.future, who.answers(p.state.Now))
	case b.Status == seating.Confirmed && who.waited:
		p.waits = append(p.waits, p.state.Now.Sub(p.began))
	}
}

// happening is a person's doing something: giving seats back, or answering.
type happening struct {
	at      time.Time
	who     *person
	cancels bool
}

// future is what will happen, the next first: by time, and then in the order of
// the bookings, so that it is the same each time.
type future []happening

func (f future) Len() int      { return len(f) }
func (f future) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f future) Less(i, j int) bool {
	return cmp.Or(f[i].at.Compare(f[j].at), cmp.Compare(f[i].who.order, f[j].who.order)) < 0
}

// Push and Pop are for the heap.
func (f *future) Push(x any) { *f = append(*f, x.(happening)) }

// Pop takes the last.
func (f *future) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
