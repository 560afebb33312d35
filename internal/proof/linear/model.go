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
	status int
	code   spec.Code // of a refusal
	item   int       // of a bundle that was refused; None elsewhere
	shown  []view
	// booking is the one that a refusal names.
	booking int
	taken   int
	waiting int
}

// view is a booking as its user sees it. Of one that has ended nothing but that
// is looked at.
type view struct {
	booking  int
	user     int
	status   spec.Status
	seats    int
	position int // in the queue, from 1 on; 0: it does not wait
	blocked  bool
}

// state is a model, as porcupine compares them. It forgets what is over: nothing
// depends on it any more.
type state struct {
	*spec.Model
	key string
}

func newState(m *spec.Model) state { return state{m, m.Key()} }

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
// third is for itself.
func threeSlots(capacity [3]int) *spec.Model {
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
	seed := maphash.MakeSeed()
	return porcupine.Model{
		Init: func() any { return newState(initial) },
		Step: func(before, input, output any) (bool, any) {
			m := before.(state).Clone()
			if !lazily(m, input.(spec.Request), output.(answer)) {
				return false, before
			}
			return true, newState(m)
		},
		Equal:             equal,
		Hash:              func(s any) uint64 { return maphash.String(seed, s.(state).key) },
		DescribeOperation: describeOperation,
		DescribeState:     describeState,
	}
}

// lazily lets a model of one slot answer, after as few promotions as it takes.
func lazily(m *spec.Model, r spec.Request, a answer) bool {
	for r.Verb == spec.Book && m.PromoteNext(0) {
	}
	for !answers(m, r, a) {
		if !r.Verb.Reads() || !m.PromoteNext(0) {
			return false
		}
	}
	return true
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
func threeModel(capacity [3]int) porcupine.Model {
	seed := maphash.MakeSeed()
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{newState(threeSlots(capacity))} },
		Step: func(before, input, output any) (next []any) {
			for _, m := range before.(state).Reachable() {
				if after := m.Clone(); answers(after, input.(spec.Request), output.(answer)) {
					next = append(next, newState(after))
				}
			}
			return next
		},
		Equal:             equal,
		Hash:              func(s any) uint64 { return maphash.String(seed, s.(state).key) },
		DescribeOperation: describeOperation,
		DescribeState:     describeState,
	}
	return model.ToModel()
}

func equal(a, b any) bool { return a.(state).key == b.(state).key }

// answers lets a model answer a request, and says whether it is this answer. Only
// then does the model count.
func answers(m *spec.Model, r spec.Request, a answer) bool {
	switch r.Verb {
	case spec.ReadSlot:
		s := &m.Slots[r.Slot]
		return a.status == http.StatusOK && a.taken == s.Taken() && a.waiting == len(s.Queue)
	case spec.ListBookings:
		return a.status == http.StatusOK && slices.Equal(a.shown, viewsOf(m, r.Slot))
	case spec.Resize:
		// Of a booking that has ended the model does not know how large it was. If it
		// was as large as is asked for, that is no change.
		if _, live := m.Booking(r.Booking); !live {
			return a.status == http.StatusOK || a.code == spec.InvalidTransition
		}
	}
	r.Numbers = []int{} // of the bookings that are made, if any are
	for _, v := range a.shown {
		r.Numbers = append(r.Numbers, v.booking)
	}
	want := m.Do(r)
	switch {
	case a.status != want.Status, a.code != want.Code, want.Names != spec.None && a.booking != want.Names:
		return false
	case a.status >= http.StatusBadRequest:
		return a.item == want.Item
	case r.Verb == spec.Resize:
		return true // it is read again for the answer, and may have been promoted by then
	}
	return slices.EqualFunc(a.shown, want.Bookings, func(v view, number int) bool { return v == viewOf(m, r.Who, number) })
}

// viewOf is a user's booking as it is to be seen. One that is not there has ended.
func viewOf(m *spec.Model, user, number int) view {
	b, live := m.Booking(number)
	if !live {
		return view{booking: number, user: user, status: spec.Cancelled}
	}
	return view{booking: number, user: b.Person, status: b.Status, seats: b.Seats, position: m.Position(b), blocked: b.Blocked}
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
		b := spec.Booking{Number: v.booking, Person: v.user, Seats: v.seats, Status: v.status,
			Blocker: spec.None, Replaces: spec.None, Gives: spec.None, MovedFrom: spec.None}
		if v.position > 0 {
			s.Queue = append(s.Queue, b)
		} else {
			s.Seated = append(s.Seated, b)
		}
	}
	positions := map[int]int{}
	for _, v := range shown {
		positions[v.booking] = v.position
	}
	slices.SortFunc(s.Queue, func(a, b spec.Booking) int { return cmp.Compare(positions[a.Number], positions[b.Number]) })
	return m
}

func byBooking(a, b view) int { return cmp.Compare(a.booking, b.booking) }

// The words of porcupine's picture.

func describeOperation(input, output any) string {
	return fmt.Sprintf("%s → %v", describe(input.(spec.Request)), output)
}

func describe(r spec.Request) string {
	switch r.Verb {
	case spec.Book:
		text := fmt.Sprintf("user %d books %d of slot %d", r.Who, r.Seats, r.Slot)
		if r.Wait {
			text += " or waits"
		}
		if r.Replaces != spec.None {
			text += fmt.Sprintf(" for #%d", r.Replaces)
		}
		return text
	case spec.Move:
		return fmt.Sprintf("user %d moves #%d to slot %d", r.Who, r.Booking, r.Slot)
	case spec.Bundle:
		text := fmt.Sprintf("user %d books slots", r.Who)
		for _, item := range r.Items {
			text += fmt.Sprintf(" %d", item.Slot)
		}
		return text
	case spec.ReadSlot, spec.ListBookings:
		return fmt.Sprintf("%s %d", r.Verb, r.Slot)
	}
	return fmt.Sprintf("user %d: %s #%d", r.Who, r.Verb, r.Booking)
}

func (a answer) String() string {
	if a.code != "" {
		return fmt.Sprintf("%d %s #%d item %d", a.status, a.code, a.booking, a.item)
	}
	if a.shown == nil {
		return fmt.Sprintf("%d: %d taken, %d wait", a.status, a.taken, a.waiting)
	}
	words := make([]string, len(a.shown))
	for i, v := range a.shown {
		words[i] = v.String()
	}
	return fmt.Sprintf("%d: %s", a.status, strings.Join(words, ", "))
}

func (v view) String() string {
	text := fmt.Sprintf("#%d of user %d %s", v.booking, v.user, v.status)
	if v.status.Live() {
		text += fmt.Sprintf(" ×%d", v.seats)
	}
	if v.position > 0 {
		text += fmt.Sprintf(" at %d", v.position)
	}
	if v.blocked {
		text += " blocked"
	}
	return text
}

func describeState(s any) string {
	m := s.(state).Model
	var texts []string
	for i := range m.Slots {
		text := fmt.Sprintf("slot %d of %d:", i, m.Slots[i].Capacity)
		for _, v := range viewsOf(m, i) {
			text += fmt.Sprintf(" %v", v)
			if b, _ := m.Booking(v.booking); b.Gives != spec.None {
				text += fmt.Sprintf(" for #%d", b.Gives)
			}
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}
