package sequence

import (
	"fmt"
	"slices"
)

// House is an event with its slots, and all bookings of them, in the order in
// which they were made. People are known by their numbers, and so are slots and
// bookings.
type House struct {
	Rules    Rules
	Slots    []Slot
	Bookings []Booking
}

// Rules are what the organizer decided.
type Rules struct {
	Waitlist  string // off, automatic or offer
	Limit     int    // of who waits for a slot; None: no limit
	FirstFit  bool
	MaxPasses int
}

// Slot is one dated session. Its hours are half-open.
type Slot struct {
	From, To int
	Capacity int
	Status   string
	// Queue are the bookings that wait, first come first.
	Queue  []int
	Ledger []Entry
}

// Entry is one step in the life of a slot, or of a booking of it.
type Entry struct {
	Kind    string
	Booking int // None: about the slot
}

// Booking is one person's claim.
type Booking struct {
	Person, Slot int
	Seats        int
	// Least is with how few seats it is content; 0: only with all.
	Least  int
	Status string
	// Blocked: it waits, and cannot take seats; because of Blocker, or, with None,
	// because the slot is too small.
	Blocked bool
	Blocker int
	Passes  int
	// Replaces is the booking that it gives back for its seats; Successor the one
	// for which it was given back; MovedFrom what it was made from.
	Replaces, Successor, MovedFrom int
	CheckedIn                      bool
	// Version is the place of its last entry in the slot's ledger.
	Version int
}

// None is no booking, no limit.
const None = -1

// The words of the API.
const (
	Open, Closed = "open", "closed"

	Confirmed, Held, Offered = "confirmed", "held", "offered"
	Waitlisted               = "waitlisted"
	Cancelled, Expired       = "cancelled", "expired"
)

// New is a house in which nothing has happened.
func New(rules Rules, slots ...Slot) *House {
	h := &House{Rules: rules, Slots: slots}
	for i := range h.Slots {
		h.Slots[i].Status = Open
		h.note(i, "opened")
	}
	return h
}

// Clone is a copy that shares nothing.
func (h *House) Clone() *House {
	c := *h
	c.Slots, c.Bookings = slices.Clone(h.Slots), slices.Clone(h.Bookings)
	for i := range c.Slots {
		c.Slots[i].Queue, c.Slots[i].Ledger = slices.Clone(c.Slots[i].Queue), slices.Clone(c.Slots[i].Ledger)
	}
	return &c
}

// key tells houses apart.
func (h *House) key() string { return fmt.Sprint(h.Slots, h.Bookings) }

// Seated says whether a booking takes seats, Live whether it is not over.
func (b Booking) Seated() bool {
	return b.Status == Confirmed || b.Status == Held || b.Status == Offered
}

// Live: see Seated.
func (b Booking) Live() bool { return b.Seated() || b.Status == Waitlisted }

// least is how few seats it can be given.
func (b Booking) least() int {
	if b.Least > 0 {
		return b.Least
	}
	return b.Seats
}

// Taken counts the seats of a slot that somebody has.
func (h *House) Taken(slot int) (n int) {
	for _, b := range h.Bookings {
		if b.Slot == slot && b.Seated() {
			n += b.Seats
		}
	}
	return n
}

// Free counts those that nobody has.
func (h *House) Free(slot int) int { return h.Slots[slot].Capacity - h.Taken(slot) }

// ready are those who wait and are not blocked, in order.
func (h *House) ready(slot int) (ready []int) {
	for _, b := range h.Slots[slot].Queue {
		if !h.Bookings[b].Blocked {
			ready = append(ready, b)
		}
	}
	return ready
}

// overlap says whether two slots do.
func (h *House) overlap(a, b int) bool {
	return h.Slots[a].From < h.Slots[b].To && h.Slots[b].From < h.Slots[a].To
}

// busy are a person's bookings with seats during a slot, without one that is to
// be given back.
func (h *House) busy(person, slot, except int) (busy []int) {
	for i, b := range h.Bookings {
		if b.Person == person && b.Seated() && i != except && h.overlap(b.Slot, slot) {
			busy = append(busy, i)
		}
	}
	return busy
}

// Conflicts are a person's bookings with seats during some hours.
func (h *House) Conflicts(person, from, to int) (conflicts []int) {
	for i, b := range h.Bookings {
		if s := h.Slots[b.Slot]; b.Person == person && b.Seated() && s.From < to && from < s.To {
			conflicts = append(conflicts, i)
		}
	}
	return conflicts
}

// gives is the booking with seats that b gives back when it gets its own: the one
// that it names, or that one's successor. None: there is none.
func (h *House) gives(b int) int {
	old := h.Bookings[b].Replaces
	for old != None && h.Bookings[old].Successor != None {
		old = h.Bookings[old].Successor
	}
	if old == None || old == b || !h.Bookings[old].Seated() {
		return None
	}
	return old
}

// note writes an entry about a slot, record one about a booking.
func (h *House) note(slot int, kind string) {
	h.Slots[slot].Ledger = append(h.Slots[slot].Ledger, Entry{kind, None})
}

func (h *House) record(b int, kind string) {
	slot := &h.Slots[h.Bookings[b].Slot]
	slot.Ledger = append(slot.Ledger, Entry{kind, b})
	h.Bookings[b].Version = len(slot.Ledger)
}

// turn changes a booking's status. Whoever turns no longer waits.
func (h *House) turn(b int, status, kind string) {
	it := &h.Bookings[b]
	it.Status, it.Blocked, it.Blocker, it.CheckedIn = status, false, None, false
	h.unqueue(b)
	h.record(b, kind)
}

func (h *House) unqueue(b int) {
	queue := &h.Slots[h.Bookings[b].Slot].Queue
	*queue = slices.DeleteFunc(*queue, func(other int) bool { return other == b })
}
