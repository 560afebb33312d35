package simulation

import (
	"cmp"
	"container/heap"
	"context"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
)

// run is one play of a policy: a copy of the slot, and what will happen to it.
type run struct {
	state  *seating.State
	slotID uuid.UUID
	began  time.Time
	people map[uuid.UUID]*person
	future future
	// waits has how long each promoted booking waited since began.
	waits []time.Duration
}

// person is a booking, with what its user will do. That does not depend on the
// policy, so policies are compared on the same people.
type person struct {
	seating.Booking
	order int
	// waited says that it was waitlisted when the run began.
	waited bool
	// cancels says that it is cancelled at cancelsAt, if it is confirmed then.
	cancels   bool
	cancelsAt time.Time
	// answer is the answer to an offer, delay the share of its time that passes before.
	answer answer
	delay  float64
}

type answer int

const (
	accepts answer = iota
	declines
	noAnswer
)

// newRun makes run number of a policy. Only the number and o.Seed decide about chance.
func newRun(slot seating.Slot, bookings []seating.Booking, now time.Time, o Assumptions, number int) *run {
	r := &run{state: seating.NewState(now), slotID: slot.ID, began: now, people: make(map[uuid.UUID]*person, len(bookings))}
	r.state.AddSlot(slot)
	random := rand.New(rand.NewPCG(o.Seed, uint64(number)))
	for i, b := range bookings {
		b.Replaces = uuid.Nil // The replaced booking is in another slot, which is not part of the run.
		if b.Ready() {
			r.state.AddHead(b)
		} else {
			r.state.AddBooking(b)
		}
		who := newPerson(b, i, random, now, o)
		r.people[b.ID] = who
		if who.cancels && who.cancelsAt.Before(slot.CancellationClosesAt(&b)) {
			r.future = append(r.future, action{at: who.cancelsAt, who: who, cancels: true})
		}
		if b.Status == seating.Held || b.Status == seating.Offered {
			r.future = append(r.future, who.answers(now))
		}
	}
	heap.Init(&r.future)
	return r
}

// newPerson draws as many numbers for everybody, so that nobody's future depends on
// another's.
func newPerson(b seating.Booking, order int, random *rand.Rand, now time.Time, o Assumptions) *person {
	cancels, when, answer, delay := random.Float64(), random.Float64(), random.Float64(), random.Float64()
	who := &person{Booking: b, order: order, waited: b.Status == seating.Waitlisted, answer: noAnswer, delay: delay}
	who.cancels, who.cancelsAt = cancels < o.CancellationRate, between(now, *o.Until, when)
	switch {
	case answer < acceptRate:
		who.answer = accepts
	case answer < acceptRate+declineRate:
		who.answer = declines
	}
	return who
}

// answers is when the person answers a hold or an offer, or lets it expire.
func (w *person) answers(now time.Time) action {
	if w.answer == noAnswer {
		return action{at: w.ExpiresAt, who: w}
	}
	return action{at: between(now, w.ExpiresAt, w.delay), who: w}
}

// between is the time after a share of the time between two others.
func between(from, to time.Time, share float64) time.Time {
	return from.Add(time.Duration(share * float64(to.Sub(from))))
}

// play lets people act, in order, until the end.
func (r *run) play(ctx context.Context, until time.Time) error {
	r.promote()
	for len(r.future) > 0 && r.future[0].at.Before(until) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		next := heap.Pop(&r.future).(action)
		r.state.Now = next.at
		r.act(next)
		r.promote()
	}
	return nil
}

// act lets a person act, if that is still possible.
func (r *run) act(a action) {
	b := a.who.Booking
	by := seating.Actor{Role: seating.ActorAttendee, ID: b.UserID}
	cancel := seating.Cancel{SlotID: r.slotID, BookingID: b.ID, UserID: b.UserID, By: by}
	switch {
	case a.cancels && b.Status == seating.Confirmed, !a.cancels && a.who.answer == declines:
		r.apply(cancel)
	case a.cancels: // It is not confirmed, so there are no seats to give back.
	case a.who.answer == accepts:
		r.apply(seating.Confirm{SlotID: r.slotID, BookingID: b.ID, UserID: b.UserID, From: b.Status, By: by})
	default:
		r.apply(seating.Expire{SlotID: r.slotID})
	}
}

// promote serves the queue page by page, as the service does.
func (r *run) promote() {
	for r.apply(seating.Promote{SlotID: r.slotID}) {
	}
}

// apply applies a command, and says whether the same command would do more. A refusal
// means that the person was too late; then nothing changes.
func (r *run) apply(c seating.Command) (more bool) {
	result, err := r.state.Apply(c)
	if err != nil {
		return false
	}
	for _, b := range append(result.Promoted, result.Booking) {
		r.note(b)
	}
	return result.More
}

// note notes that a booking has another status.
func (r *run) note(b seating.Booking) {
	who := r.people[b.ID]
	if who == nil || who.Status == b.Status {
		return
	}
	who.Booking = b
	switch {
	case b.Status == seating.Offered:
		heap.Push(&r.future, who.answers(r.state.Now))
	case b.Status == seating.Confirmed && who.waited:
		r.waits = append(r.waits, r.state.Now.Sub(r.began))
	}
}

// action is what a person does: cancel, or answer a hold or an offer.
type action struct {
	at      time.Time
	who     *person
	cancels bool
}

// future has the actions to come, as a heap: by time, and then in the order of the
// bookings, so that each run with the same seed is the same.
type future []action

func (f future) Len() int      { return len(f) }
func (f future) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f future) Less(i, j int) bool {
	return cmp.Or(f[i].at.Compare(f[j].at), cmp.Compare(f[i].who.order, f[j].who.order)) < 0
}

// Push and Pop implement heap.Interface.
func (f *future) Push(x any) { *f = append(*f, x.(action)) }

// Pop removes the last action.
func (f *future) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
