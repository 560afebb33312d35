//go:build unix

package witness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/spec"
)

// load is many workers who send random requests about one slot, each as another
// person every time. What a worker believes about a person's booking is what
// somebody last saw of it. It is often out of date, which makes for more refusals.
type load struct {
	slot lab.Slot
	// capacity is about how many seats the slot is kept at, by one edit in so many
	// requests. One in so many of these is an edit of the event's rules instead; 0: none.
	capacity, edits, rules int
	people                 []*person
	// organizer asks for edits of the slot as it was last seen.
	organizer *person
	latest    atomic.Pointer[Observation]
	// editing is locked while rules are edited: their order is told by nothing but
	// the slot as it is before and after each edit. It guards ruled, which counts
	// these edits: the fit changes with each.
	editing sync.Mutex
	ruled   int
	// seated are some who were lately seen with seats: they ask more often than
	// others, or the seats would hardly ever change hands.
	seated [64]atomic.Int64

	operations []Operation
	begun      atomic.Int64
	done       atomic.Int64
	lost       atomic.Int64
	progress   func(done int)
}

// person is somebody who asks, as a client of their own.
type person struct {
	id     uuid.UUID
	client *lab.Client

	mu   sync.Mutex
	last Observation // of the latest booking
	// away is until when the person lets a hold or an offer run out.
	away time.Duration
}

// lostLimit is how many requests may go unanswered: a service that is down has
// nothing to show.
const lostLimit = 1000

// run asks as often as there is room in the history, with so many requests in
// flight at all times.
func (l *load) run(ctx context.Context, inFlight int, seed uint64) error {
	var workers sync.WaitGroup
	for worker := range inFlight {
		random := rand.New(rand.NewPCG(seed, uint64(worker)))
		workers.Go(func() {
			for ctx.Err() == nil && l.lost.Load() < lostLimit {
				at := int(l.begun.Add(1)) - 1
				if at >= len(l.operations) {
					return
				}
				l.operations[at] = l.ask(ctx, l.next(random, at/(wave*len(l.people))%2 == 1))
			}
		})
	}
	workers.Wait()
	if l.lost.Load() >= lostLimit {
		return fmt.Errorf("%d requests got no answer", l.lost.Load())
	}
	return ctx.Err()
}

// request is one that is about to be sent.
type request struct {
	Operation
	as *person
	at int // the person's place among the people
}

// wave is after about how many requests of each person the load changes: for one
// wave the queue fills; in the next one it drains, when nobody joins it, half of
// those in it leave, and seats are free.
const wave = 5

// abandoned: one in so many holds and offers is left to run out.
const abandoned = 100

// next is what a worker asks for. Nobody waits for another one's edit of the rules,
// or soon all would do nothing else.
func (l *load) next(random *rand.Rand, draining bool) request {
	for {
		r := l.draw(random, draining)
		if r.Verb != spec.EditRules {
			return r
		}
		if l.editing.TryLock() {
			l.ruled++
			r.Rules.FirstFit = l.ruled%2 == 1
			return r
		}
	}
}

// draw decides who asks for what.
func (l *load) draw(random *rand.Rand, draining bool) request {
	if random.IntN(l.edits) == 0 {
		return request{as: l.organizer, at: none, Operation: l.drawEdit(random)}
	}
	at := l.drawPerson(random)
	p := l.people[at]
	last, away := p.seen()
	r := request{as: p, at: at, Operation: Operation{Verb: verb(random, last.Status), Booking: last.Booking}}
	switch leaves := draining && random.IntN(2) == 0; {
	case away:
		r.Verb = spec.ReadBooking
	case leaves && last.Status == spec.Waitlisted:
		r.Verb = spec.Cancel
	case leaves && r.Verb == spec.Book:
		r.Verb = spec.Hold
	}
	switch r.Verb {
	case spec.Book:
		r.Booking, r.Seats, r.Waits = uuid.Nil, l.seats(random), !draining && random.IntN(4) > 0
		if random.IntN(4) == 0 {
			r.Least = 1 + random.IntN(r.Seats)
		}
	case spec.Hold:
		r.Booking, r.Seats = uuid.Nil, l.seats(random)
	case spec.Resize:
		r.Seats = l.seats(random)
	case spec.ReadSlot:
		r.Booking = uuid.Nil
	}
	return r
}

// drawEdit changes the rules, or the capacity, half of the time down to about what
// is taken.
func (l *load) drawEdit(random *rand.Rand) Operation {
	if l.rules > 0 && random.IntN(l.rules) == 0 {
		modes := []spec.Mode{spec.Automatic, spec.Offer}
		return Operation{Verb: spec.EditRules, Rules: spec.Rules{
			Waitlist: modes[random.IntN(2)], MaxPasses: 1 + random.IntN(3)}}
	}
	slot := l.latest.Load()
	to := l.capacity/2 + random.IntN(l.capacity+1)
	if random.IntN(2) == 0 {
		to = min(slot.Taken+random.IntN(3), l.capacity*3/2)
	}
	return Operation{Verb: spec.EditCapacity, Revision: slot.Revision, Seats: max(1, to)}
}

// drawPerson is anybody, or, a third of the time, one who probably has seats.
func (l *load) drawPerson(random *rand.Rand) int {
	at := random.IntN(len(l.people))
	if random.IntN(3) > 0 {
		return at
	}
	for range l.seated {
		at := int(l.seated[random.IntN(len(l.seated))].Load())
		if last, away := l.people[at].seen(); last.Status.TakesSeats() && !away {
			return at
		}
	}
	return at
}

// seen is what was last seen of the person's latest booking, and whether the
// person is away.
func (p *person) seen() (last Observation, away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last, lab.Now() < p.away
}

// seats: at most three, mostly one; where rules change it matters who does not fit.
func (l *load) seats(random *rand.Rand) int {
	if l.rules > 0 {
		return 1 + random.IntN(3)
	}
	return 1 + random.IntN(1+random.IntN(3))
}

// odds are how often, in a hundred, somebody whose booking is believed to be in a
// status asks for what.
var odds = map[spec.Status][]struct {
	verb  spec.Verb
	often int
}{
	0: {{spec.Book, 85}, {spec.Hold, 10}, {spec.ReadSlot, 5}},
	spec.Waitlisted: {{spec.ReadBooking, 25}, {spec.ReadPosition, 8}, {spec.Cancel, 30}, {spec.Resize, 15}, {spec.Accept, 8},
		{spec.Book, 5}, {spec.Decline, 3}, {spec.Confirm, 3}, {spec.ReadSlot, 3}},
	spec.Held: {{spec.Confirm, 40}, {spec.Cancel, 25}, {spec.Resize, 15}, {spec.ReadBooking, 10}, {spec.Hold, 7}, {spec.Accept, 3}},
	spec.Offered: {{spec.Accept, 40}, {spec.Decline, 20}, {spec.Cancel, 10}, {spec.Resize, 10}, {spec.ReadBooking, 10},
		{spec.Confirm, 5}, {spec.Book, 5}},
	spec.Confirmed: {{spec.Cancel, 55}, {spec.Resize, 20}, {spec.ReadBooking, 8}, {spec.ReadPosition, 3}, {spec.Book, 6},
		{spec.Confirm, 4}, {spec.Accept, 4}},
	spec.Cancelled: {{spec.Book, 65}, {spec.Hold, 12}, {spec.Cancel, 10}, {spec.Resize, 3}, {spec.ReadBooking, 3}, {spec.Decline, 3},
		{spec.Confirm, 2}, {spec.ReadSlot, 2}},
	spec.Expired: {{spec.Book, 60}, {spec.Hold, 12}, {spec.Confirm, 8}, {spec.Accept, 8}, {spec.Cancel, 8}, {spec.ReadBooking, 2},
		{spec.Decline, 2}},
}

func verb(random *rand.Rand, status spec.Status) spec.Verb {
	n := random.IntN(100)
	for _, o := range odds[status] {
		if n -= o.often; n < 0 {
			return o.verb
		}
	}
	return spec.ReadSlot
}

// ask sends a request, and writes down what came of it. It ends the edit of rules that
// next began.
func (l *load) ask(ctx context.Context, r request) Operation {
	if r.Verb == spec.EditRules {
		defer l.editing.Unlock()
	}
	answer := l.send(ctx, r)
	o := r.Operation
	o.User, o.Called = r.as.id, answer.Called
	if o.Verb == spec.EditRules && answer.Status == http.StatusOK {
		// The answer shows the event, and nothing of the slot: that is read after it.
		_ = lab.Await(ctx, restLimit, func(ctx context.Context) error {
			answer = l.send(ctx, request{as: r.as, Operation: Operation{Verb: spec.ReadSlot}})
			return answer.Want(http.StatusOK, nil)
		})
	}
	o.Returned = answer.Returned
	o.Ending, o.Saw = observation(o.Verb, answer)
	if answer.Err != nil {
		l.lost.Add(1)
	}
	l.learn(r, o)
	l.progress(int(l.done.Add(1)))
	return o
}

// send sends a request as its person.
func (l *load) send(ctx context.Context, r request) lab.Answer {
	asked := spec.Request{Verb: r.Verb, Seats: r.Seats, Least: r.Least, Wait: r.Waits, Replaces: spec.None,
		Capacity: r.Seats, Rules: r.Rules}
	var headers []lab.Header
	switch r.Verb {
	case spec.Resize:
		asked.Least = spec.None
	case spec.EditCapacity:
		headers = []lab.Header{{Name: "If-Match", Value: fmt.Sprintf(`"%d.1"`, r.Revision)}}
	case spec.EditRules:
		headers = []lab.Header{{Name: "If-Match", Value: "*"}}
	}
	method, path, body := asked.HTTP(spec.IDs{
		Event:   l.slot.EventID,
		Slot:    func(int) uuid.UUID { return l.slot.ID },
		Booking: func(int) uuid.UUID { return r.Booking },
	})
	return r.as.client.Do(ctx, method, path, body, headers...)
}

// observation is what became of a request, and what the answer says. One that cannot be
// read says nothing, which the check does not let pass.
func observation(verb spec.Verb, a lab.Answer) (Ending, Observation) {
	p := a.Problem()
	switch {
	case a.Unknown():
		return Unknown, Observation{Code: p.Code}
	case a.Untouched():
		return Untouched, Observation{Code: p.Code}
	case a.Status >= http.StatusBadRequest:
		return Refused, Observation{Version: p.SlotVersion, Code: p.Code, Status: p.From, Booking: p.BookingID}
	}
	switch verb {
	case spec.ReadSlot, spec.EditCapacity, spec.EditRules:
		var s lab.Slot
		_ = a.Into(&s)
		return Done, Observation{Version: s.Version, Capacity: s.Capacity, Taken: s.SeatsTaken, Free: s.SeatsAvailable, Waiting: s.WaitlistLength, Revision: s.Revision}
	case spec.ReadPosition:
		var w lab.WaitlistPosition
		_ = a.Into(&w)
		return Done, Observation{Version: w.SlotVersion, Booking: w.BookingID, Status: w.Status, Blocked: w.Blocked, Free: w.SeatsAvailable,
			Position: w.Position, BookingsAhead: w.BookingsAhead, SeatsAhead: w.SeatsAhead, SeatsNeeded: w.SeatsNeeded, Passes: w.Passes}
	}
	b, _ := a.Booking()
	return Done, Observation{Version: b.SlotVersion, Booking: b.ID, Status: b.Status, Seats: b.Seats, Least: b.SeatsMin, Position: b.WaitlistPosition, Blocked: b.Blocked}
}

// learn keeps what an answer tells about a person's latest booking.
func (l *load) learn(r request, o Operation) {
	switch {
	case o.Ending != Done:
		return
	case o.Verb == spec.ReadSlot, o.Verb.Leaves(spec.KindEdited):
		l.latest.Store(&o.Saw)
		return
	case o.Saw.Status.TakesSeats():
		l.seated[int(o.Saw.Version)%len(l.seated)].Store(int64(r.at))
	}
	p := r.as
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Saw.Version >= p.last.Version {
		p.last = o.Saw
	}
	if (o.Saw.Status == spec.Held || o.Saw.Status == spec.Offered) && o.Saw.Version%abandoned == 0 {
		p.away = o.Returned + keptFor*time.Minute
	}
}
