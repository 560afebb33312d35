//go:build unix

package witness

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
)

// load is many workers who ask one slot for this and that, at random, each as
// another person every time. What a worker believes about a person's booking is
// what somebody last saw of it; it is often out of date, and so much the better.
type load struct {
	slot lab.Slot
	// capacity is about how many seats the slot is kept at, by one edit in so many
	// requests.
	capacity, edits int
	people          []*person
	// organizer asks for edits of the slot as it was last seen.
	organizer *person
	latest    atomic.Pointer[Sight]
	// regulars are some who were lately seen with seats: they ask more often than
	// others, or the seats would hardly ever change hands.
	regulars [64]atomic.Int64

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
	last Sight // of the latest booking
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
				l.operations[at] = l.ask(ctx, l.draw(random, at/(wave*len(l.people))%2 == 1))
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

// wave is how many requests each person makes, about, until the tide turns: the
// flood fills the queue, and in the ebb nobody joins it, half of those in it leave,
// and seats are there for the asking.
const wave = 5

// forgets: of so many holds and offers, one is left to run out.
const forgets = 100

// draw decides who asks for what.
func (l *load) draw(random *rand.Rand, ebb bool) request {
	if random.IntN(l.edits) == 0 {
		return request{as: l.organizer, at: none, Operation: l.drawEdit(random)}
	}
	at := l.drawPerson(random)
	p := l.people[at]
	last, away := p.seen()
	r := request{as: p, at: at, Operation: Operation{Deed: habit(random, last.Status), Booking: last.Booking}}
	switch leaves := ebb && random.IntN(2) == 0; {
	case away:
		r.Deed = ReadBooking
	case leaves && last.Status == Waitlisted:
		r.Deed = Cancel
	case leaves && r.Deed == Book:
		r.Deed = Hold
	}
	switch r.Deed {
	case Book:
		r.Booking, r.Seats, r.Waits = uuid.Nil, seats(random), !ebb && random.IntN(4) > 0
		if random.IntN(4) == 0 {
			r.Least = 1 + random.IntN(r.Seats)
		}
	case Hold:
		r.Booking, r.Seats = uuid.Nil, seats(random)
	case Resize:
		r.Seats = seats(random)
	case ReadSlot:
		r.Booking = uuid.Nil
	}
	return r
}

// drawEdit changes the capacity, half of the time down to about what is taken.
func (l *load) drawEdit(random *rand.Rand) Operation {
	slot := l.latest.Load()
	to := l.capacity/2 + random.IntN(l.capacity+1)
	if random.IntN(2) == 0 {
		to = min(slot.Taken+random.IntN(3), l.capacity*3/2)
	}
	return Operation{Deed: Edit, Revision: slot.Revision, Seats: max(1, to)}
}

// drawPerson is anybody, or, a third of the time, one who probably has seats.
func (l *load) drawPerson(random *rand.Rand) int {
	at := random.IntN(len(l.people))
	if random.IntN(3) > 0 {
		return at
	}
	for range l.regulars {
		regular := int(l.regulars[random.IntN(len(l.regulars))].Load())
		if last, away := l.people[regular].seen(); last.Status.takesSeats() && !away {
			return regular
		}
	}
	return at
}

// seen is what was last seen of the person's latest booking, and whether the
// person is away.
func (p *person) seen() (last Sight, away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last, lab.Now() < p.away
}

// seats: mostly one, at most three.
func seats(random *rand.Rand) int { return 1 + random.IntN(1+random.IntN(3)) }

// habits are how often, in a hundred, somebody whose booking is believed to be in
// a status asks for what.
var habits = map[Status][]struct {
	deed  Deed
	often int
}{
	"":         {{Book, 85}, {Hold, 10}, {ReadSlot, 5}},
	Waitlisted: {{ReadBooking, 25}, {ReadPosition, 8}, {Cancel, 30}, {Resize, 15}, {Accept, 8}, {Book, 5}, {Decline, 3}, {Confirm, 3}, {ReadSlot, 3}},
	Held:       {{Confirm, 40}, {Cancel, 25}, {Resize, 15}, {ReadBooking, 10}, {Hold, 7}, {Accept, 3}},
	Offered:    {{Accept, 40}, {Decline, 20}, {Cancel, 10}, {Resize, 10}, {ReadBooking, 10}, {Confirm, 5}, {Book, 5}},
	Confirmed:  {{Cancel, 55}, {Resize, 20}, {ReadBooking, 8}, {ReadPosition, 3}, {Book, 6}, {Confirm, 4}, {Accept, 4}},
	Cancelled:  {{Book, 65}, {Hold, 12}, {Cancel, 10}, {Resize, 3}, {ReadBooking, 3}, {Decline, 3}, {Confirm, 2}, {ReadSlot, 2}},
	Expired:    {{Book, 60}, {Hold, 12}, {Confirm, 8}, {Accept, 8}, {Cancel, 8}, {ReadBooking, 2}, {Decline, 2}},
}

func habit(random *rand.Rand, status Status) Deed {
	n := random.IntN(100)
	for _, h := range habits[status] {
		if n -= h.often; n < 0 {
			return h.deed
		}
	}
	return ReadSlot
}

// ask sends a request, and writes down what came of it.
func (l *load) ask(ctx context.Context, r request) Operation {
	method, path, body, header := l.spell(r.Operation)
	answer := r.as.client.Do(ctx, method, path, body, header...)
	o := r.Operation
	o.User, o.Called, o.Returned = r.as.id, answer.Called, answer.Returned
	o.Ending, o.Saw = sight(o.Deed, answer)
	if answer.Err != nil {
		l.lost.Add(1)
	}
	l.learn(r, o)
	l.progress(int(l.done.Add(1)))
	return o
}

// spell puts a request into HTTP.
func (l *load) spell(o Operation) (method, path string, body any, header []lab.Header) {
	slot, booking := "/slots/"+l.slot.ID.String(), "/bookings/"+o.Booking.String()
	switch o.Deed {
	case Book:
		w := bookBody{Seats: o.Seats, Least: o.Least, IfFull: "reject"}
		if o.Waits {
			w.IfFull = "waitlist"
		}
		return http.MethodPost, slot + "/bookings", w, nil
	case Hold:
		return http.MethodPost, slot + "/holds", bookBody{Seats: o.Seats}, nil
	case Resize:
		return http.MethodPatch, booking, bookBody{Seats: o.Seats}, nil
	case Edit:
		match := lab.Header{Name: "If-Match", Value: fmt.Sprintf(`"%d.1"`, o.Revision)}
		return http.MethodPatch, slot, map[string]int{"capacity": o.Seats}, []lab.Header{match}
	case ReadSlot:
		return http.MethodGet, slot, nil, nil
	case ReadBooking:
		return http.MethodGet, booking, nil, nil
	case ReadPosition:
		return http.MethodGet, booking + "/waitlist-position", nil, nil
	}
	return http.MethodPost, booking + "/" + string(o.Deed), nil, nil
}

type bookBody struct {
	Seats  int    `json:"seats"`
	Least  int    `json:"seats_min,omitempty"`
	IfFull string `json:"if_full,omitempty"`
}

// problem is a refusal, as far as one looks at it.
type problem struct {
	Code        string    `json:"code"`
	From        Status    `json:"from"`
	BookingID   uuid.UUID `json:"booking_id"`
	SlotVersion int64     `json:"slot_version"`
}

// seen is every other answer, as far as one looks at it.
type seen struct {
	ID          uuid.UUID `json:"id"`
	BookingID   uuid.UUID `json:"booking_id"`
	Status      Status    `json:"status"`
	Seats       int       `json:"seats"`
	SeatsMin    int       `json:"seats_min"`
	Place       int       `json:"waitlist_position"`
	Blocked     bool      `json:"blocked"`
	SlotVersion int64     `json:"slot_version"`

	Position      int `json:"position"`
	BookingsAhead int `json:"bookings_ahead"`
	SeatsAhead    int `json:"seats_ahead"`
	SeatsNeeded   int `json:"seats_needed"`
	Passes        int `json:"passes"`

	Version        int64 `json:"version"`
	Revision       int64 `json:"revision"`
	Capacity       int   `json:"capacity"`
	SeatsTaken     int   `json:"seats_taken"`
	SeatsAvailable int   `json:"seats_available"`
	WaitlistLength int   `json:"waitlist_length"`
}

// sight is what became of a request, and what the answer says. One that cannot be
// read says nothing, which the check does not let pass.
func sight(deed Deed, a lab.Answer) (Ending, Sight) {
	switch {
	case a.Unknown():
		return Unknown, Sight{Code: a.Problem().Code}
	case a.Untouched():
		return Untouched, Sight{Code: a.Problem().Code}
	case a.Status >= http.StatusBadRequest:
		var p problem
		_ = json.Unmarshal(a.Body, &p)
		return Refused, Sight{Version: p.SlotVersion, Code: p.Code, Status: p.From, Booking: p.BookingID}
	}
	var s seen
	_ = json.Unmarshal(a.Body, &s)
	switch deed {
	case ReadSlot, Edit:
		return Done, Sight{Version: s.Version, Capacity: s.Capacity, Taken: s.SeatsTaken, Free: s.SeatsAvailable, Waiting: s.WaitlistLength, Revision: s.Revision}
	case ReadPosition:
		return Done, Sight{Version: s.SlotVersion, Booking: s.BookingID, Status: s.Status, Blocked: s.Blocked, Free: s.SeatsAvailable,
			Position: s.Position, BookingsAhead: s.BookingsAhead, SeatsAhead: s.SeatsAhead, SeatsNeeded: s.SeatsNeeded, Passes: s.Passes}
	}
	return Done, Sight{Version: s.SlotVersion, Booking: s.ID, Status: s.Status, Seats: s.Seats, Least: s.SeatsMin, Position: s.Place, Blocked: s.Blocked}
}

// learn keeps what an answer tells about a person's latest booking.
func (l *load) learn(r request, o Operation) {
	switch {
	case o.Ending != Done:
		return
	case o.Deed == Edit, o.Deed == ReadSlot:
		l.latest.Store(&o.Saw)
		return
	case o.Saw.Status.takesSeats():
		l.regulars[int(o.Saw.Version)%len(l.regulars)].Store(int64(r.at))
	}
	p := r.as
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Saw.Version >= p.last.Version {
		p.last = o.Saw
	}
	if (o.Saw.Status == Held || o.Saw.Status == Offered) && o.Saw.Version%forgets == 0 {
		p.away = o.Returned + keptFor*time.Minute
	}
}
