//go:build unix

package linear

import (
	"math/rand/v2"

	"eventbooking/internal/proof/spec"
)

// lastKnown is the booking of a user in a slot that the clients lastKnown of last: enough
// to ask for what makes sense. It may no longer be so. Numbers begin with 1.
type lastKnown struct {
	booking int
	status  spec.Status
}

// inSlot is what a client does who wants seats of one slot. Clients act for any
// user, so several ask for the same one at the same time.
func inSlot(h *history, r *rand.Rand) spec.Request {
	user := r.IntN(len(h.users))
	has := h.latest[user][0]
	c := spec.Request{Who: user, Booking: has.booking, Seats: 1 + r.IntN(2), Wait: r.IntN(3) > 0, Replaces: spec.None}
	switch {
	case has.status.Live():
		c.Verb = oneOf(r, odds{spec.Book: 10, spec.Cancel: 44, spec.Resize: 8, spec.ReadBooking: 22, spec.ReadSlot: 16})
	case has.booking != 0:
		c.Verb = oneOf(r, odds{spec.Book: 70, spec.Cancel: 9, spec.Resize: 3, spec.ReadBooking: 8, spec.ReadSlot: 10})
	default:
		c.Verb = oneOf(r, odds{spec.Book: 9, spec.ReadSlot: 1})
	}
	if c.Verb == spec.Resize {
		c.Seats, c.Least = 1, spec.None
	}
	return c
}

// inThree is what a client does who wants seats of three slots, and likes to
// exchange them.
func inThree(h *history, r *rand.Rand) spec.Request {
	user, slots := r.IntN(len(h.users)), len(h.slots)
	c := spec.Request{Who: user, Slot: r.IntN(slots), Seats: 1, Wait: r.IntN(4) > 0, Replaces: spec.None}
	here := h.latest[user][c.Slot]
	there := h.latest[user][(c.Slot+1+r.IntN(slots-1))%slots]
	chances := odds{spec.Book: 50, spec.Bundle: 20, spec.ReadSlot: 8}
	switch {
	case here.status.Live():
		chances = odds{spec.Book: 5, spec.Bundle: 3, spec.Cancel: 45, spec.ReadBooking: 30, spec.ReadSlot: 8}
	case here.booking != 0:
		chances = odds{spec.Book: 50, spec.Bundle: 20, spec.Cancel: 4, spec.ReadBooking: 8, spec.ReadSlot: 8}
	}
	if there.status == spec.Confirmed {
		chances[spec.Move] = 25
	}
	c.Verb, c.Booking = oneOf(r, chances), here.booking
	switch c.Verb {
	case spec.Book:
		if there.status == spec.Confirmed && r.IntN(4) > 0 || there.status.Live() && r.IntN(10) == 0 {
			c.Replaces = there.booking
		}
	case spec.Bundle:
		for _, slot := range [][]int{{0, 2}, {2, 0}, {1, 2}, {2, 1}, {0, 1}, {2}}[r.IntN(6)] {
			c.Items = append(c.Items, spec.Request{Who: user, Slot: slot, Seats: 1, Replaces: spec.None})
		}
	case spec.Move:
		c.Booking = there.booking
	}
	return c
}

// odds are chances, not out of anything in particular.
type odds map[spec.Verb]int

// oneOf draws a verb. They are gone through in a fixed order, so that chance
// depends on its source alone.
func oneOf(r *rand.Rand, chances odds) spec.Verb {
	total := 0
	for _, n := range chances {
		total += n
	}
	at := r.IntN(total)
	for _, c := range spec.Commands {
		if at -= chances[c.Verb]; at < 0 {
			return c.Verb
		}
	}
	panic("a verb is no command")
}
