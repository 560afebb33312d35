//go:build unix

package linear

import (
	"fmt"
	"hash/maphash"
	"net/http"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// slotUsers is how many users want seats of a slot.
const slotUsers = 16

// slotState is the whole of one slot: strict fit, promotion without asking, and
// users who have nothing elsewhere.
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
type slotState struct {
	capacity int
	claims   [slotUsers]claim
	queue    [slotUsers]uint8 // who waits, in order
	waiting  int
}

// claim is a user's live booking; none has the number 0.
type claim struct {
	booking uint16
	seats   uint8
	waits   bool
}

func slotModel(initial slotState) porcupine.Model {
	seed := maphash.MakeSeed()
	return porcupine.Model{
		Init: func() any { return initial },
		Step: func(state, input, output any) (bool, any) {
			next, ok := state.(slotState).after(input.(call), output.(answer))
			return ok, next
		},
		Hash:              func(state any) uint64 { return maphash.Comparable(seed, state.(slotState)) },
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v → %v", input, output) },
		DescribeState:     func(state any) string { return state.(slotState).String() },
	}
}

// after is the state after a call that was answered like this; false if no
// correct slot would have.
func (s slotState) after(c call, a answer) (slotState, bool) {
	switch c.verb {
	case book:
		return s.book(c, a)
	case cancel:
		if s.claims[c.user].booking == c.booking {
			s.end(c.user)
		}
		return s, a.shows(http.StatusOK, view{booking: c.booking, user: c.user, state: cancelled})
	case reduce:
		return s.reduce(c, a)
	}
	return s.read(c, a)
}

func (s slotState) book(c call, a answer) (slotState, bool) {
	if has := s.claims[c.user].booking; has != 0 {
		return s, a.refuses(http.StatusConflict, "already_booked") && a.booking == has
	}
	for s.promote() {
	}
	served := s.waiting == 0 && c.seats <= s.free()
	if !served && !c.waits {
		return s, a.refuses(http.StatusConflict, "slot_full")
	}
	s.claims[c.user] = claim{booking: a.made(0), seats: uint8(c.seats), waits: !served}
	if !served {
		s.queue[s.waiting] = uint8(c.user)
		s.waiting++
	}
	return s, a.made(0) != 0 && a.shows(http.StatusCreated, s.view(c.user))
}

// reduce leaves one seat to a booking. What has ended may be refused, or be left
// as it is where it never had more.
func (s slotState) reduce(c call, a answer) (slotState, bool) {
	if s.claims[c.user].booking != c.booking {
		return s, a.status == http.StatusOK || a.refuses(http.StatusConflict, "invalid_transition")
	}
	s.claims[c.user].seats = 1
	return s, a.status == http.StatusOK
}

// read promotes as few as it takes to see what was answered.
func (s slotState) read(c call, a answer) (slotState, bool) {
	for !s.looks(c, a) {
		if !s.promote() {
			return s, false
		}
	}
	return s, true
}

// looks says whether the answer is what a read sees in this state.
func (s slotState) looks(c call, a answer) bool {
	switch c.verb {
	case look:
		if s.claims[c.user].booking != c.booking {
			return a.shows(http.StatusOK, view{booking: c.booking, user: c.user, state: cancelled})
		}
		return a.shows(http.StatusOK, s.view(c.user))
	case count:
		return a.status == http.StatusOK && a.taken == s.taken() && a.waiting == s.waiting
	case list:
		var all []view
		for user, claim := range s.claims {
			if claim.booking != 0 {
				all = append(all, s.view(user))
			}
		}
		slices.SortFunc(all, byBooking)
		return a.shows(http.StatusOK, all...)
	}
	return false
}

// promote gives the head of the queue its seats, if they are free.
func (s *slotState) promote() bool {
	if s.waiting == 0 || int(s.claims[s.queue[0]].seats) > s.free() {
		return false
	}
	head := s.queue[0]
	s.leave(head)
	s.claims[head].waits = false
	return true
}

// end is the end of a user's booking.
func (s *slotState) end(user int) {
	if s.claims[user].waits {
		s.leave(uint8(user))
	}
	s.claims[user] = claim{}
}

// leave takes somebody out of the queue. What is behind its end stays zero, so
// that equal states are equal values.
func (s *slotState) leave(user uint8) {
	at := slices.Index(s.queue[:s.waiting], user)
	copy(s.queue[at:], s.queue[at+1:s.waiting])
	s.waiting--
	s.queue[s.waiting] = 0
}

func (s *slotState) taken() (n int) {
	for _, c := range s.claims {
		if !c.waits {
			n += int(c.seats)
		}
	}
	return n
}

func (s *slotState) free() int { return s.capacity - s.taken() }

// view is a user's live booking as it is to be seen.
func (s *slotState) view(user int) view {
	c := s.claims[user]
	v := view{booking: c.booking, user: user, state: confirmed, seats: int(c.seats)}
	if c.waits {
		v.state, v.place = waitlisted, 1+slices.Index(s.queue[:s.waiting], uint8(user))
	}
	return v
}

// slotAt is the state that a list of a slot's live bookings shows: all of it.
func slotAt(capacity int, shown []view) slotState {
	s := slotState{capacity: capacity}
	for _, v := range shown {
		s.claims[v.user] = claim{booking: v.booking, seats: uint8(v.seats), waits: v.place > 0}
		if v.place > 0 {
			s.queue[v.place-1] = uint8(v.user)
			s.waiting++
		}
	}
	return s
}

func (s slotState) String() string {
	var seated, queued []string
	for user, c := range s.claims {
		if c.booking != 0 && !c.waits {
			seated = append(seated, fmt.Sprintf("%d ×%d", user, c.seats))
		}
	}
	for _, user := range s.queue[:s.waiting] {
		queued = append(queued, fmt.Sprintf("%d ×%d", user, s.claims[user].seats))
	}
	return fmt.Sprintf("%d of %d taken (%s), waiting: %s", s.taken(), s.capacity, strings.Join(seated, ", "), strings.Join(queued, ", "))
}
