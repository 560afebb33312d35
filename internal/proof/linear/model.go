//go:build unix

package linear

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"net/http"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"eventbooking/internal/proof/spec"
)

// answer is what the service said, as far as the models look at it. Versions are
// not among it.
type answer struct {
	Status int
	Code   spec.Code // of a refusal
	Item   int       // of a bundle that was refused; None elsewhere
	Shown  []view
	// Booking is the one that a refusal names.
	Booking        int
	Taken, Waiting int
}

// view is a booking as its user sees it. Of one that has ended nothing but that
// is looked at.
type view struct {
	Booking  int
	User     int
	Status   spec.Status
	Seats    int
	Position int // in the queue, from 1 on; 0: it does not wait
	Blocked  bool
}

// state is a model that porcupine has come to. It forgets what is over: nothing
// depends on it any more.
type state struct {
	*spec.Model
	hash uint64
	// next is the state of one slot after its next promotion, reachable are those
	// that three slots may come to by themselves. Both are found when asked for.
	next      *state
	asked     bool
	reachable []*spec.Model
	after     map[*spec.Request][]any
}

// states are those of one search. Equal ones are the same one, and what follows
// one after an operation is found once: a search comes to it over and over, and a
// specification is not fast.
type states struct {
	seed  maphash.Seed
	byKey map[string]*state
}

func newStates() *states { return &states{maphash.MakeSeed(), map[string]*state{}} }

func (all *states) of(m *spec.Model) *state {
	key := m.Key()
	s, known := all.byKey[key]
	if !known {
		s = &state{Model: m, hash: maphash.String(all.seed, key), after: map[*spec.Request][]any{}}
		all.byKey[key] = s
	}
	return s
}

// step is what follows a state after an operation: each has a request of its own.
func (s *state) step(input, output any, next func(*state, spec.Request, answer) []any) []any {
	r := input.(*spec.Request)
	after, known := s.after[r]
	if !known {
		after = next(s, *r, output.(answer))
		s.after[r] = after
	}
	return after
}

// rules are those of all slots here. With strict fit, whoever is promoted is first
// in the queue.
var rules = spec.Rules{Waitlist: spec.Automatic, Limit: spec.None}

// slotUsers is how many users want seats of a slot, threeUsers of three slots.
const (
	slotUsers  = 16
	threeUsers = 5
)

// oneSlot is a slot whose users have nothing elsewhere.
func oneSlot(capacity int) *spec.Model {
	return spec.New(rules, spec.Slot{From: 0, To: 2, Capacity: capacity}).Forgetful()
}

// threeSlots are three slots of one event: the first two overlap in time, the
// third is for itself. A user may have so many seats in all of them; 0: any number.
func threeSlots(capacity [3]int, perUser int) *spec.Model {
	rules := rules
	rules.PerUser = perUser
	return spec.New(rules, spec.Slot{From: 0, To: 2, Capacity: capacity[0]}, spec.Slot{From: 1, To: 3, Capacity: capacity[1]},
		spec.Slot{From: 6, To: 8, Capacity: capacity[2]}).Forgetful()
}

// slotModel is a model of one slot, from a state on.
//
// Seats are passed on by the service itself, at a moment that no client sees:
// some time after they were given back, and before the next booking is decided.
// The model has no operation for it. It is lazy: nobody is promoted before a
// booking is decided, which comes after all promotions there are to be, or before
// a read has seen it, and then no more of them than the read has seen.
//
// That loses nothing, and so one state is enough where a search over all moments
// would have many. Let p be the promotion of the head in state s, and o what
// another client does next. Whatever o can answer in p(s) it can answer in s, and
// o(p(s)) is o(s) or can still be reached from it by promotions:
//   - a booking promotes everybody first, in either state;
//   - ending or reducing a booking says the same whether it has seats or waits,
//     and the seats that the head may have are at most more after it; if it is
//     the head's own, they come to the same free seats before the same queue;
//   - a read promotes what it needs.
//
// Strictly first come, first served, is what makes it true: who is promoted is a
// prefix of the queue.
func slotModel(initial *spec.Model) porcupine.Model {
	all := newStates()
	return porcupine.Model{
		Init: func() any { return all.of(initial) },
		Step: func(before, input, output any) (bool, any) {
			if after := before.(*state).step(input, output, all.lazily); len(after) > 0 {
				return true, after[0]
			}
			return false, nil
		},
		Hash:              func(s any) uint64 { return s.(*state).hash },
		DescribeOperation: describeOperation,
		DescribeState:     describeState,
	}
}

// lazily is the state of one slot after a request that was answered like this,
// after as few promotions as it takes; none, if no correct slot would have.
func (all *states) lazily(s *state, r spec.Request, a answer) []any {
	if r.Verb.Reads() {
		for !shows(s.Model, r, a) {
			if s = all.promoted(s, r.Slot); s == nil {
				return nil
			}
		}
		return []any{s}
	}
	// Who has booked already is refused before anybody is promoted.
	if r.Verb == spec.Book && s.Of(r.Who, r.Slot) == nil {
		for next := s; next != nil; next = all.promoted(s, r.Slot) {
			s = next
		}
	}
	after := s.Clone()
	if !answers(after, r, a) {
		return nil
	}
	return []any{all.of(after)}
}

// promoted is the state after the next promotion, or nil if nobody is next.
func (all *states) promoted(s *state, slot int) *state {
	if !s.asked {
		s.asked = true
		if after := s.Clone(); after.PromoteNext(slot) {
			s.next = all.of(after)
		}
	}
	return s.next
}

// threeModel is a model of three slots, with everything in which one concerns
// another: moves, bundles, upgrades, and who is blocked where by what elsewhere.
//
// Here what the service does by itself may change what others are answered, in
// another slot too, so the model leaves all ways open: what a call finds is any
// state that such steps lead to. In exchange it is a little more patient than the
// slot's own model: a newcomer may find that those who wait have not been served
// yet, and wait or be refused behind them, because to serve them may need a slot
// that the newcomer's own command has not locked. Nobody may ever go past them.
func threeModel(capacity [3]int, perUser int) porcupine.Model {
	all := newStates()
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{all.of(threeSlots(capacity, perUser))} },
		Step: func(before, input, output any) []any {
			return before.(*state).step(input, output, all.anyhow)
		},
		Hash:              func(s any) uint64 { return s.(*state).hash },
		DescribeOperation: describeOperation,
		DescribeState:     describeState,
	}
	return model.ToModel()
}

// anyhow are all states of three slots after a request that was answered like this.
func (all *states) anyhow(s *state, r spec.Request, a answer) (next []any) {
	if s.reachable == nil {
		s.reachable = s.Reachable()
	}
	for _, m := range s.reachable {
		if r.Verb.Reads() {
			if shows(m, r, a) {
				next = append(next, all.of(m))
			}
		} else if after := m.Clone(); answers(after, r, a) {
			next = append(next, all.of(after))
		}
	}
	return next
}

// shows says whether a model shows what a request to read was answered.
func shows(m *spec.Model, r spec.Request, a answer) bool {
	switch {
	case a.Status != http.StatusOK:
		return false
	case r.Verb == spec.ReadSlot:
		return a.Taken == m.Slots[r.Slot].Taken() && a.Waiting == len(m.Slots[r.Slot].Queue)
	case r.Verb == spec.ListBookings:
		return slices.Equal(a.Shown, viewsOf(m, r.Slot))
	}
	return a.Shown[0] == viewOf(m, r.Who, r.Booking)
}

// answers lets a model answer a command, and says whether it is this answer. Only
// then does the model count.
func answers(m *spec.Model, r spec.Request, a answer) bool {
	if _, live := m.Booking(r.Booking); r.Verb == spec.Resize && !live {
		// The model does not know how large a booking was that has ended. If it was as
		// large as is asked for, that is no change.
		return a.Status == http.StatusOK || a.Code == spec.InvalidTransition
	}
	r.Numbers = make([]int, len(a.Shown))
	for i, v := range a.Shown {
		r.Numbers[i] = v.Booking
	}
	want := m.Do(r)
	switch {
	case a.Status != want.Status, a.Code != want.Code, want.Names != spec.None && a.Booking != want.Names:
		return false
	case a.Status >= http.StatusBadRequest:
		return a.Item == want.Item
	case r.Verb == spec.Resize:
		return true // it is read again for the answer, and may have been promoted by then
	}
	return slices.EqualFunc(a.Shown, want.Bookings, func(v view, number int) bool { return v == viewOf(m, r.Who, number) })
}

// viewOf is a user's booking as it is to be seen. One that is not there has ended.
func viewOf(m *spec.Model, user, number int) view {
	b, live := m.Booking(number)
	if !live {
		return view{Booking: number, User: user, Status: spec.Cancelled}
	}
	return view{Booking: number, User: b.Person, Status: b.Status, Seats: b.Seats, Position: m.Position(b), Blocked: b.Blocked}
}

// viewsOf are a slot's live bookings, in the order of their numbers.
func viewsOf(m *spec.Model, slot int) (views []view) {
	for _, b := range m.Bookings() {
		if b.Slot == slot {
			views = append(views, viewOf(m, b.Person, b.Number))
		}
	}
	return views
}

// slotAt is the state that a list of a slot's live bookings shows: all of it.
func slotAt(capacity int, shown []view) *spec.Model {
	m := oneSlot(capacity)
	s := &m.Slots[0]
	for _, v := range shown {
		b := spec.Booking{Number: v.Booking, Person: v.User, Seats: v.Seats, Status: v.Status,
			Blocker: spec.None, Replaces: spec.None, Gives: spec.None, MovedFrom: spec.None}
		if v.Position > 0 {
			s.Queue = append(s.Queue, b)
		} else {
			s.Seated = append(s.Seated, b)
		}
	}
	positions := map[int]int{}
	for _, v := range shown {
		positions[v.Booking] = v.Position
	}
	slices.SortFunc(s.Queue, func(a, b spec.Booking) int { return cmp.Compare(positions[a.Number], positions[b.Number]) })
	return m
}

func byBooking(a, b view) int { return cmp.Compare(a.Booking, b.Booking) }

func describeOperation(input, output any) string { return fmt.Sprintf("%v → %v", input, output) }

func describeState(s any) string {
	m := s.(*state).Model
	var texts []string
	for i := range m.Slots {
		texts = append(texts, fmt.Sprintf("slot %d of %d: %v", i, m.Slots[i].Capacity, viewsOf(m, i)))
	}
	return strings.Join(texts, "; ")
}

func (a answer) String() string { return spec.Describe(a) }

func (v view) String() string { return "{" + spec.Describe(v) + "}" }
