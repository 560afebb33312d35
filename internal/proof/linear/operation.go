//go:build unix

package linear

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// call is what a client asks for. Slots and users are counted from 0, as the
// history has them; bookings have the numbers that the history gave them.
type call struct {
	verb       verb
	user, slot int
	seats      int
	waits      bool // if_full: waitlist
	// booking is the one that the call is about; gives is one that is given back
	// for the new one (keep and upgrade).
	booking, gives uint16
	items          []int // the slots of a bundle
}

type verb string

const (
	book   verb = "book"
	cancel verb = "cancel"
	reduce verb = "reduce" // to one seat
	move   verb = "move"   // to slot
	bundle verb = "bundle"
	look   verb = "look"  // at a booking
	count  verb = "count" // a slot's seats and queue
	list   verb = "list"  // a slot's live bookings
)

// answer is what the service said, as far as the models look at it. Versions are
// not among it.
type answer struct {
	status int
	code   string // of a refusal
	item   int    // of a bundle that was refused; -1 elsewhere
	shown  []view
	// booking is the one that a refusal names.
	booking uint16
	taken   int
	waiting int
}

// view is a booking as its user sees it. Of one that has ended nothing but that
// is looked at.
type view struct {
	booking uint16
	user    int
	state   string
	seats   int
	place   int // in the queue, from 1 on; 0: it does not wait
	blocked bool
}

const (
	confirmed  = "confirmed"
	waitlisted = "waitlisted"
	cancelled  = "cancelled"
)

func (v view) live() bool { return v.state == confirmed || v.state == waitlisted }

// refuses says whether the answer is a refusal with this code.
func (a answer) refuses(status int, code string) bool { return a.status == status && a.code == code }

// shows says whether the answer is that status, with these bookings.
func (a answer) shows(status int, views ...view) bool {
	return a.status == status && slices.Equal(a.shown, views)
}

// made is the number of the booking that a successful call has made.
func (a answer) made(i int) uint16 {
	if i < len(a.shown) {
		return a.shown[i].booking
	}
	return 0
}

func byBooking(a, b view) int { return cmp.Compare(a.booking, b.booking) }

// The words of porcupine's picture.

func (c call) String() string {
	switch c.verb {
	case book:
		text := fmt.Sprintf("user %d books %d of slot %d", c.user, c.seats, c.slot)
		if c.waits {
			text += " or waits"
		}
		if c.gives != 0 {
			text += fmt.Sprintf(" for #%d", c.gives)
		}
		return text
	case move:
		return fmt.Sprintf("user %d moves #%d to slot %d", c.user, c.booking, c.slot)
	case bundle:
		return fmt.Sprintf("user %d books slots %d", c.user, c.items)
	case count, list:
		return fmt.Sprintf("%s slot %d", c.verb, c.slot)
	}
	return fmt.Sprintf("user %d: %s #%d", c.user, c.verb, c.booking)
}

func (a answer) String() string {
	if a.code != "" {
		text := fmt.Sprintf("%d %s", a.status, a.code)
		if a.booking != 0 {
			text += fmt.Sprintf(" #%d", a.booking)
		}
		if a.item >= 0 {
			text += fmt.Sprintf(" item %d", a.item)
		}
		return text
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
	text := fmt.Sprintf("#%d of user %d %s", v.booking, v.user, v.state)
	if v.live() {
		text += fmt.Sprintf(" ×%d", v.seats)
	}
	if v.place > 0 {
		text += fmt.Sprintf(" at %d", v.place)
	}
	if v.blocked {
		text += " blocked"
	}
	return text
}
