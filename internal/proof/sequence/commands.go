package sequence

import "slices"

// Answer is what a command comes to: a status, the code of a problem, and the
// bookings that it shows.
type Answer struct {
	Status   int
	Code     string
	Bookings []int
}

// Who asks, beside the people.
const (
	// Organizer manages the event; Stranger manages others only.
	Organizer = -2
	Stranger  = -3
)

func done(bookings ...int) Answer { return Answer{Status: 200, Bookings: bookings} }

func made(bookings ...int) Answer { return Answer{Status: 201, Bookings: bookings} }

func refused(code string) Answer {
	status := 409
	switch code {
	case "not_permitted":
		status = 403
	case "not_found":
		status = 404
	case "validation_failed", "seats_exceed_capacity":
		status = 422
	}
	return Answer{Status: status, Code: code}
}

// sees says whether somebody may know of a booking.
func (h *House) sees(who, b int) bool { return who == Organizer || who == h.Bookings[b].Person }

// Wish is what somebody wants of a slot.
type Wish struct {
	Person, Slot int
	Seats, Least int
	Wait         bool
	Replaces     int
}

// Book asks for seats.
func (h *House) Book(w Wish) Answer {
	if w.Least > w.Seats || w.Replaces != None && h.Bookings[w.Replaces].Person != w.Person {
		return refused("validation_failed")
	}
	if code := h.closed(w); code != "" {
		return refused(code)
	}
	if w.Replaces != None && (!h.Bookings[w.Replaces].Seated() || h.Bookings[w.Replaces].Slot == w.Slot) {
		return refused("validation_failed")
	}
	if code := h.refusal(w, w.Replaces); code != "" {
		return refused(code)
	}
	return made(h.claim(w, Confirmed))
}

// Hold asks for seats for a while.
func (h *House) Hold(w Wish) Answer {
	if code := h.closed(w); code != "" {
		return refused(code)
	}
	if code := h.refusal(w, None); code != "" {
		return refused(code)
	}
	return made(h.claim(w, Held))
}

// Bundle asks for seats of several slots: all or none.
func (h *House) Bundle(wishes []Wish) Answer {
	for i, w := range wishes {
		if slices.ContainsFunc(wishes[:i], func(other Wish) bool { return other.Slot == w.Slot }) {
			return refused("validation_failed")
		}
	}
	for i, w := range wishes {
		if slices.ContainsFunc(wishes[:i], func(other Wish) bool { return h.overlap(other.Slot, w.Slot) }) {
			return refused("booking_overlap")
		}
	}
	for _, w := range wishes {
		if code := h.closed(w); code != "" {
			return refused(code)
		}
	}
	for _, w := range wishes {
		if code := h.refusal(w, None); code != "" {
			return refused(code)
		}
	}
	var all []int
	for _, w := range wishes {
		all = append(all, h.claim(w, Confirmed))
	}
	return made(all...)
}

// closed is what keeps a newcomer out, whatever is free.
func (h *House) closed(w Wish) string {
	slot := h.Slots[w.Slot]
	switch {
	case slot.Status == Cancelled:
		return "slot_cancelled"
	case slot.Status == Closed:
		return "booking_closed"
	case w.Seats > slot.Capacity:
		return "seats_exceed_capacity"
	case slices.ContainsFunc(h.Bookings, func(b Booking) bool { return b.Person == w.Person && b.Slot == w.Slot && b.Live() }):
		return "already_booked"
	}
	return ""
}

// served says whether a newcomer gets seats at once: they are free, and nobody
// waits who must not be passed.
func (h *House) served(slot, least int) bool {
	return least <= h.Free(slot) && h.passable(h.ready(slot))
}

// passable says whether a smaller booking may go before these.
func (h *House) passable(waiting []int) bool {
	tired := func(b int) bool { return h.Bookings[b].Passes >= h.Rules.MaxPasses }
	return len(waiting) == 0 || h.Rules.FirstFit && !slices.ContainsFunc(waiting, tired)
}

// refusal is what keeps a newcomer out, as the seats are.
func (h *House) refusal(w Wish, except int) string {
	served := h.served(w.Slot, Booking{Seats: w.Seats, Least: w.Least}.least())
	switch {
	case (served || !w.Wait) && len(h.busy(w.Person, w.Slot, except)) > 0:
		return "booking_overlap"
	case served:
		return ""
	case !w.Wait:
		return "slot_full"
	case h.Rules.Waitlist == "off":
		return "waitlist_disabled"
	case h.Rules.Limit != None && len(h.Slots[w.Slot].Queue) >= h.Rules.Limit:
		return "waitlist_full"
	}
	return ""
}

// claim makes a booking: with seats, or at the end of the queue.
func (h *House) claim(w Wish, status string) int {
	b := len(h.Bookings)
	h.Bookings = append(h.Bookings, Booking{Person: w.Person, Slot: w.Slot, Seats: w.Seats, Least: w.Least,
		Blocker: None, Replaces: w.Replaces, Successor: None, MovedFrom: None})
	if !h.served(w.Slot, h.Bookings[b].least()) {
		h.Slots[w.Slot].Queue = append(h.Slots[w.Slot].Queue, b)
		h.Bookings[b].Status = Waitlisted
		h.record(b, Waitlisted)
		return b
	}
	h.seat(b, status, status, h.ready(w.Slot))
	return b
}

// seat gives a booking its seats, as many as there are, past some who wait.
func (h *House) seat(b int, status, kind string, passed []int) {
	it := &h.Bookings[b]
	it.Seats = min(it.Seats, h.Free(it.Slot))
	old := h.gives(b)
	h.turn(b, status, kind)
	for _, p := range passed {
		h.Bookings[p].Passes++
		h.record(p, "passed")
	}
	if status == Confirmed && old != None {
		h.Bookings[old].Successor = b
		h.turn(old, Cancelled, Cancelled)
	}
}

// Confirm makes a hold a booking for good; Accept takes an offer.
func (h *House) Confirm(who, b int) Answer {
	return h.settle(who, b, Held, "confirmed", "hold_expired")
}

// Accept: see Confirm.
func (h *House) Accept(who, b int) Answer {
	return h.settle(who, b, Offered, "accepted", "offer_expired")
}

func (h *House) settle(who, b int, from, kind, late string) Answer {
	if !h.sees(who, b) {
		return refused("not_found")
	}
	switch it := h.Bookings[b]; {
	case it.Status == Confirmed:
	case it.Status == from:
		h.turn(b, Confirmed, kind)
	case h.Slots[it.Slot].Status == Cancelled:
		return refused("slot_cancelled")
	case it.Status == Expired:
		return refused(late)
	default:
		return refused("invalid_transition")
	}
	return done(b)
}

// Decline gives an offer back.
func (h *House) Decline(who, b int) Answer {
	if !h.sees(who, b) {
		return refused("not_found")
	}
	switch h.Bookings[b].Status {
	case Cancelled:
	case Offered:
		h.turn(b, Cancelled, "declined")
	case Expired:
		return refused("offer_expired")
	default:
		return refused("invalid_transition")
	}
	return done(b)
}

// Cancel gives seats back, or leaves the queue. Who cancels others' says why.
func (h *House) Cancel(who, b int, why bool) Answer {
	switch it := h.Bookings[b]; {
	case !h.sees(who, b):
		return refused("not_found")
	case who != it.Person && !why:
		return refused("validation_failed")
	case it.Status == Expired:
		return refused("invalid_transition")
	case it.Live():
		h.turn(b, Cancelled, Cancelled)
	}
	return done(b)
}

// Move exchanges a booking for one of another slot, or changes nothing.
func (h *House) Move(who, b, slot int) Answer {
	old := h.Bookings[b]
	w := Wish{Person: old.Person, Slot: slot, Seats: old.Seats, Replaces: None}
	switch {
	case !h.sees(who, b):
		return refused("not_found")
	case slot == old.Slot:
		return refused("validation_failed")
	case old.Status != Confirmed:
		return refused("invalid_transition")
	}
	if code := h.closed(w); code != "" {
		return refused(code)
	}
	if code := h.refusal(w, b); code != "" {
		return refused(code)
	}
	h.turn(b, Cancelled, "moved")
	to := h.claim(w, Confirmed)
	h.Bookings[to].MovedFrom = b
	return made(to)
}

// Resize changes the number of seats, and the least of them: None leaves that,
// and 0 clears it.
func (h *House) Resize(who, b, seats, least int) Answer {
	it := &h.Bookings[b]
	if !h.sees(who, b) {
		return refused("not_found")
	}
	follows := min(it.Least, seats)
	if least == None {
		least = follows
	}
	switch slot := h.Slots[it.Slot]; {
	case least > seats:
		return refused("validation_failed")
	case seats == it.Seats && least == it.Least:
		return done(b)
	case !it.Live(), it.Status != Waitlisted && least != follows, it.Seated() && it.Status != Confirmed && seats > it.Seats:
		return refused("invalid_transition")
	case seats > slot.Capacity:
		return refused("seats_exceed_capacity")
	case it.Status == Confirmed && seats > it.Seats && slot.Status == Closed:
		return refused("booking_closed")
	case it.Status == Confirmed && seats > it.Seats && (seats-it.Seats > h.Free(it.Slot) || len(h.ready(it.Slot)) > 0):
		return refused("slot_full")
	case it.Status == Waitlisted && seats > it.Seats:
		h.unqueue(b)
		h.Slots[it.Slot].Queue = append(h.Slots[it.Slot].Queue, b)
		it.Passes, it.Blocked, it.Blocker = 0, false, None
	}
	it.Seats, it.Least = seats, least
	h.record(b, "resized")
	return done(b)
}

// CheckIn notes that somebody has come, or takes it back.
func (h *House) CheckIn(who, b int, come bool) Answer {
	switch it := &h.Bookings[b]; {
	case who >= 0:
		return refused("not_permitted")
	case who != Organizer:
		return refused("not_found")
	case it.Status != Confirmed:
		return refused("invalid_transition")
	case it.CheckedIn != come:
		it.CheckedIn = come
		h.record(b, map[bool]string{true: "checked_in", false: "check_in_undone"}[come])
	}
	return done(b)
}

// Lapse lets the time of a hold or an offer run out.
func (h *House) Lapse(b int) {
	if s := h.Bookings[b].Status; s == Held || s == Offered {
		h.turn(b, Expired, Expired)
	}
}

// Resettle changes a slot's capacity; Restate opens or closes it; CancelSlot ends
// it for good; Promote asks for what happens by itself.
func (h *House) Resettle(who, slot, capacity int) Answer {
	switch s := &h.Slots[slot]; {
	case who != Organizer:
		return refused("not_permitted")
	case s.Status == Cancelled:
		return refused("slot_cancelled")
	case capacity < h.Taken(slot):
		return refused("capacity_below_taken")
	case capacity != s.Capacity:
		s.Capacity = capacity
		h.note(slot, "edited")
	}
	return done()
}

// Restate: see Resettle.
func (h *House) Restate(who, slot int, status string) Answer {
	switch s := &h.Slots[slot]; {
	case who != Organizer:
		return refused("not_permitted")
	case s.Status == Cancelled:
		return refused("slot_cancelled")
	case s.Status != status:
		s.Status = status
		h.note(slot, map[string]string{Open: "reopened", Closed: Closed}[status])
	}
	return done()
}

// CancelSlot: see Resettle.
func (h *House) CancelSlot(who, slot int) Answer {
	if who != Organizer {
		return refused("not_permitted")
	}
	if h.Slots[slot].Status != Cancelled {
		h.Slots[slot].Status = Cancelled
		h.note(slot, "slot_cancelled")
	}
	return done()
}

// Promote: see Resettle.
func (h *House) Promote(who int) Answer {
	if who != Organizer {
		return refused("not_permitted")
	}
	return done()
}
