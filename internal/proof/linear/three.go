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

// There are three slots of one event: the first two overlap in time, the third is
// for itself. Every booking is for one seat.
const (
	slots      = 3
	threeUsers = 5
)

// rival is the other slot at an overlapping time, or none.
var rival = [slots]int{1, 0, none}

const none = -1

// threeState is the whole of three slots, with everything in which one concerns
// another: moves, bundles, upgrades, and who is blocked where by what elsewhere.
//
// The service does some of it by itself, later (see steps). Here such a step may
// change what others are answered, in another slot too, so the model leaves all
// ways open: what a call finds is any state that steps lead to. In exchange it is
// a little more patient than the slot's own model: a newcomer may find that those
// who wait have not been served yet, and wait or be refused behind them, because
// to serve them may need a slot that the newcomer's own command has not locked.
// Nobody may ever go past them.
type threeState struct {
	capacity [slots]int
	places   [slots][threeUsers]place
	queue    [slots][threeUsers]int8 // 1 + who waits, in order; 0 behind the end
}

// place is what a user has in a slot.
type place struct {
	booking uint16
	is      standing
	// gives is 1 + the slot in which the user has the seat that is given back when
	// this one has its own; 0: none.
	gives uint8
}

type standing uint8

const (
	absent standing = iota
	seated
	ready
	// blocked waits, and has a seat at an overlapping time.
	blocked
	// released is blocked still, but what it was blocked by has ended.
	released
)

func threeModel(capacity [slots]int) porcupine.Model {
	seed := maphash.MakeSeed()
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{threeState{capacity: capacity}} },
		Step: func(state, input, output any) (next []any) {
			for _, s := range state.(threeState).reachable() {
				if after, ok := s.after(input.(call), output.(answer)); ok {
					next = append(next, after)
				}
			}
			return next
		},
		Hash:              func(state any) uint64 { return maphash.Comparable(seed, state.(threeState)) },
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v → %v", input, output) },
		DescribeState:     func(state any) string { return state.(threeState).String() },
	}
	return model.ToModel()
}

// reachable are all states to which the service may have come by itself.
func (s threeState) reachable() []threeState {
	all := []threeState{s}
	for i := 0; i < len(all); i++ {
		for _, next := range all[i].steps() {
			if !slices.Contains(all, next) {
				all = append(all, next)
			}
		}
	}
	return all
}

// steps are what the service may do next by itself: where a seat is free, give it
// to the first who is ready, or mark them blocked if they have one elsewhere at
// that time; or take somebody back into the queue who is blocked no more.
func (s threeState) steps() (next []threeState) {
	for slot := range slots {
		if head := s.head(slot); head != none && s.free(slot) > 0 {
			t := s
			if t.hindered(slot, head, t.places[slot][head].gives) {
				t.places[slot][head].is = blocked
			} else {
				t.unqueue(slot, head)
				t.seat(slot, head)
			}
			next = append(next, t)
		}
		for user, p := range s.places[slot] {
			if p.is == released {
				t := s
				t.places[slot][user].is = ready
				next = append(next, t)
			}
		}
	}
	return next
}

// after is the state after a call that was answered like this; false if nothing
// that is right would have answered so in this state.
func (s threeState) after(c call, a answer) (threeState, bool) {
	switch c.verb {
	case book:
		return s.book(c, a)
	case move:
		return s.move(c, a)
	case bundle:
		return s.bundle(c, a)
	case cancel:
		if slot := s.where(c.user, c.booking); slot != none {
			s.end(slot, c.user)
		}
		return s, a.shows(http.StatusOK, view{booking: c.booking, user: c.user, state: cancelled})
	}
	return s, s.looks(c, a)
}

func (s threeState) book(c call, a answer) (threeState, bool) {
	if has := s.places[c.slot][c.user].booking; has != 0 {
		return s, a.refuses(http.StatusConflict, "already_booked") && a.booking == has
	}
	gives := uint8(0)
	if c.gives != 0 {
		from := s.where(c.user, c.gives)
		if from == none || from == c.slot || s.places[from][c.user].is != seated {
			return s, a.refuses(http.StatusUnprocessableEntity, "validation_failed")
		}
		gives = uint8(1 + from)
	}
	served := s.serves(c.slot)
	switch {
	case (served || !c.waits) && s.hindered(c.slot, c.user, gives):
		return s, a.refuses(http.StatusConflict, "booking_overlap")
	case !served && !c.waits:
		return s, a.refuses(http.StatusConflict, "slot_full")
	}
	s.places[c.slot][c.user] = place{booking: a.made(0), gives: gives}
	if served {
		s.seat(c.slot, c.user)
	} else {
		s.places[c.slot][c.user].is = ready
		s.queue[c.slot][s.waiting(c.slot)] = int8(1 + c.user)
	}
	return s, a.made(0) != 0 && a.shows(http.StatusCreated, s.view(c.slot, c.user))
}

// move exchanges seats: those that are given back hinder nobody.
func (s threeState) move(c call, a answer) (threeState, bool) {
	from := s.where(c.user, c.booking)
	if from == none || s.places[from][c.user].is != seated {
		return s, a.refuses(http.StatusConflict, "invalid_transition")
	}
	if has := s.places[c.slot][c.user].booking; has != 0 {
		return s, a.refuses(http.StatusConflict, "already_booked") && a.booking == has
	}
	switch {
	case s.hindered(c.slot, c.user, uint8(1+from)):
		return s, a.refuses(http.StatusConflict, "booking_overlap")
	case !s.serves(c.slot):
		return s, a.refuses(http.StatusConflict, "slot_full")
	}
	s.end(from, c.user)
	s.places[c.slot][c.user] = place{booking: a.made(0), is: seated}
	return s, a.made(0) != 0 && a.shows(http.StatusCreated, s.view(c.slot, c.user))
}

// bundle has all slots or none. Items at overlapping times refuse each other
// before anything else is looked at.
func (s threeState) bundle(c call, a answer) (threeState, bool) {
	for _, slot := range c.items {
		if slices.Contains(c.items, rival[slot]) {
			return s, a.refuses(http.StatusConflict, "booking_overlap")
		}
	}
	for i, slot := range c.items {
		if has := s.places[slot][c.user].booking; has != 0 {
			return s, a.refuses(http.StatusConflict, "already_booked") && a.item == i && a.booking == has
		}
	}
	for i, slot := range c.items {
		switch {
		case s.hindered(slot, c.user, 0):
			return s, a.refuses(http.StatusConflict, "booking_overlap") && a.item == i
		case !s.serves(slot):
			return s, a.refuses(http.StatusConflict, "slot_full") && a.item == i
		}
	}
	var views []view
	for i, slot := range c.items {
		s.places[slot][c.user] = place{booking: a.made(i), is: seated}
		views = append(views, s.view(slot, c.user))
	}
	return s, a.made(len(c.items)-1) != 0 && a.shows(http.StatusCreated, views...)
}

// looks says whether the answer is what a read sees in this state.
func (s threeState) looks(c call, a answer) bool {
	switch c.verb {
	case look:
		slot := s.where(c.user, c.booking)
		if slot == none {
			return a.shows(http.StatusOK, view{booking: c.booking, user: c.user, state: cancelled})
		}
		return a.shows(http.StatusOK, s.view(slot, c.user))
	case count:
		return a.status == http.StatusOK && a.taken == s.capacity[c.slot]-s.free(c.slot) && a.waiting == s.waiting(c.slot)
	case list:
		var all []view
		for user, p := range s.places[c.slot] {
			if p.is != absent {
				all = append(all, s.view(c.slot, user))
			}
		}
		slices.SortFunc(all, byBooking)
		return a.shows(http.StatusOK, all...)
	}
	return false
}

// seat gives a user seats, and gives back what was to be given for them. If the
// user waits elsewhere naming the same booking, this one is meant from now on.
func (s *threeState) seat(slot, user int) {
	p := &s.places[slot][user]
	gives := p.gives
	p.is, p.gives = seated, 0
	if gives == 0 {
		return
	}
	for other := range slots {
		if o := &s.places[other][user]; o.gives == gives {
			o.gives = uint8(1 + slot)
		}
	}
	s.end(int(gives)-1, user)
}

// end is the end of a user's booking. Who meant to give it back waits without.
func (s *threeState) end(slot, user int) {
	was := s.places[slot][user].is
	if was != seated {
		s.unqueue(slot, user)
	}
	s.places[slot][user] = place{}
	for other := range slots {
		o := &s.places[other][user]
		if o.gives == uint8(1+slot) {
			o.gives = 0
		}
		if was == seated && other == rival[slot] && o.is == blocked {
			o.is = released
		}
	}
}

// unqueue takes somebody out of the queue.
func (s *threeState) unqueue(slot, user int) {
	queue := &s.queue[slot]
	at := slices.Index(queue[:], int8(1+user))
	copy(queue[at:], queue[at+1:])
	queue[threeUsers-1] = 0
}

// head is the first who is ready, or none.
func (s *threeState) head(slot int) int {
	for _, queued := range s.queue[slot] {
		if queued != 0 && s.places[slot][queued-1].is == ready {
			return int(queued) - 1
		}
	}
	return none
}

// serves says whether a newcomer gets a seat: one is free, and nobody is ready.
func (s *threeState) serves(slot int) bool { return s.free(slot) > 0 && s.head(slot) == none }

// hindered says whether the user has a seat at an overlapping time that is not
// the one to be given back.
func (s *threeState) hindered(slot, user int, gives uint8) bool {
	other := rival[slot]
	return other != none && s.places[other][user].is == seated && gives != uint8(1+other)
}

func (s *threeState) free(slot int) int {
	free := s.capacity[slot]
	for _, p := range s.places[slot] {
		if p.is == seated {
			free--
		}
	}
	return free
}

func (s *threeState) waiting(slot int) (n int) {
	for _, queued := range s.queue[slot] {
		if queued != 0 {
			n++
		}
	}
	return n
}

// where is the slot in which the user has that booking, if it lives.
func (s *threeState) where(user int, booking uint16) int {
	for slot := range slots {
		if s.places[slot][user].booking == booking {
			return slot
		}
	}
	return none
}

// view is a user's live booking as it is to be seen.
func (s *threeState) view(slot, user int) view {
	p := s.places[slot][user]
	v := view{booking: p.booking, user: user, state: confirmed, seats: 1}
	if p.is != seated {
		v.state, v.place = waitlisted, 1+slices.Index(s.queue[slot][:], int8(1+user))
		v.blocked = p.is != ready
	}
	return v
}

func (s threeState) String() string {
	var texts []string
	for slot := range slots {
		text := fmt.Sprintf("slot %d of %d:", slot, s.capacity[slot])
		for user, p := range s.places[slot] {
			if p.is == absent {
				continue
			}
			text += fmt.Sprintf(" %v", s.view(slot, user))
			if p.is == released {
				text += " no more"
			}
			if p.gives != 0 {
				text += fmt.Sprintf(" for the seat in %d", p.gives-1)
			}
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}
