//go:build unix

package linear

import "math/rand/v2"

// heard is the booking of a user in a slot that the clients heard of last: enough
// to ask for what makes sense. It may no longer be so.
type heard struct {
	booking uint16
	state   string
}

func (b heard) live() bool { return view{state: b.state}.live() }

// inSlot is what a client does who wants seats of one slot. Clients act for any
// user, so several ask for the same one at the same time.
func inSlot(h *history, r *rand.Rand) call {
	c := call{user: r.IntN(len(h.users)), seats: 1 + r.IntN(2), waits: r.IntN(3) > 0}
	has := h.latest[c.user][0]
	c.booking = has.booking
	switch {
	case has.live():
		c.verb = oneOf(r, odds{book: 10, cancel: 44, reduce: 8, look: 22, count: 16})
	case has.booking != 0:
		c.verb = oneOf(r, odds{book: 70, cancel: 9, reduce: 3, look: 8, count: 10})
	default:
		c.verb = oneOf(r, odds{book: 9, count: 1})
	}
	return c
}

// inThree is what a client does who wants seats of three slots, and likes to
// exchange them.
func inThree(h *history, r *rand.Rand) call {
	c := call{user: r.IntN(len(h.users)), slot: r.IntN(slots), seats: 1, waits: r.IntN(4) > 0}
	here := h.latest[c.user][c.slot]
	there := h.latest[c.user][(c.slot+1+r.IntN(slots-1))%slots]
	chances := odds{book: 50, bundle: 20, count: 8}
	switch {
	case here.live():
		chances = odds{book: 5, bundle: 3, cancel: 45, look: 30, count: 8}
	case here.booking != 0:
		chances = odds{book: 50, bundle: 20, cancel: 4, look: 8, count: 8}
	}
	if there.state == confirmed {
		chances[move] = 25
	}
	c.verb = oneOf(r, chances)
	switch c.verb {
	case book:
		if there.state == confirmed && r.IntN(4) > 0 || there.live() && r.IntN(10) == 0 {
			c.gives = there.booking
		}
	case bundle:
		c.items = [][]int{{0, 2}, {2, 0}, {1, 2}, {2, 1}, {0, 1}, {2}}[r.IntN(6)]
	case move:
		c.booking = there.booking
	default:
		c.booking = here.booking
	}
	return c
}

// odds are chances, not out of anything in particular.
type odds map[verb]int

// verbs are all in a fixed order, so that chance depends on its source alone.
var verbs = []verb{book, cancel, reduce, move, bundle, look, count}

func oneOf(r *rand.Rand, chances odds) verb {
	total := 0
	for _, n := range chances {
		total += n
	}
	at := r.IntN(total)
	for _, v := range verbs {
		if at -= chances[v]; at < 0 {
			return v
		}
	}
	panic("a verb is missing from the list")
}
