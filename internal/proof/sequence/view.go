package sequence

import (
	"fmt"
	"slices"
	"strings"
)

// View is what can be seen of a slot.
type View struct {
	Status                            string
	Capacity, Taken, Waiting, Version int
	Bookings                          map[int]BookingView
	Queue                             []Place
	Ledger                            []Entry
}

// BookingView is what can be seen of a booking.
type BookingView struct {
	Person, Slot        int
	Seats, Least        int
	Status              string
	Position            int // 0: it does not wait
	Blocked             bool
	Replaces, MovedFrom int
	CheckedIn           bool
	Version             int
}

// Place is one in a queue.
type Place struct {
	Booking, Passes, Blocker int
}

// View shows a slot.
func (h *House) View(slot int) View {
	s := h.Slots[slot]
	v := View{Status: s.Status, Capacity: s.Capacity, Taken: h.Taken(slot), Waiting: len(s.Queue), Version: len(s.Ledger),
		Bookings: map[int]BookingView{}, Ledger: s.Ledger}
	for i, b := range h.Bookings {
		if b.Slot == slot {
			v.Bookings[i] = h.ViewBooking(i)
		}
	}
	for _, b := range s.Queue {
		v.Queue = append(v.Queue, Place{b, h.Bookings[b].Passes, h.Bookings[b].Blocker})
	}
	return v
}

// ViewBooking shows a booking.
func (h *House) ViewBooking(b int) BookingView {
	it := h.Bookings[b]
	return BookingView{Person: it.Person, Slot: it.Slot, Seats: it.Seats, Least: it.Least, Status: it.Status,
		Position: slices.Index(h.Slots[it.Slot].Queue, b) + 1, Blocked: it.Blocked,
		Replaces: it.Replaces, MovedFrom: it.MovedFrom, CheckedIn: it.CheckedIn, Version: it.Version}
}

// Difference tells what one view has and the other has not, a line for each;
// nothing, if they are the same.
func Difference(want, got View) string {
	wanted, found := want.lines(), got.lines()
	var text strings.Builder
	for _, line := range wanted {
		if !slices.Contains(found, line) {
			fmt.Fprintf(&text, "  want %s\n", line)
		}
	}
	for _, line := range found {
		if !slices.Contains(wanted, line) {
			fmt.Fprintf(&text, "  got  %s\n", line)
		}
	}
	return text.String()
}

func (v View) lines() []string {
	lines := []string{fmt.Sprintf("slot: %s, %d of %d seats taken, %d wait, version %d", v.Status, v.Taken, v.Capacity, v.Waiting, v.Version)}
	for i, b := range v.Bookings {
		lines = append(lines, fmt.Sprintf("booking %d: %+v", i, b))
	}
	for i, p := range v.Queue {
		lines = append(lines, fmt.Sprintf("place %d: %+v", i+1, p))
	}
	for i, e := range v.Ledger {
		lines = append(lines, fmt.Sprintf("entry %d: %+v", i+1, e))
	}
	slices.Sort(lines)
	return lines
}

// Check holds what is true of a slot at any time, whatever any model says.
func (v View) Check() error {
	taken, waiting := 0, 0
	for i, b := range v.Bookings {
		switch b.Status {
		case Confirmed, Held, Offered:
			taken += b.Seats
		case Waitlisted:
			waiting++
		}
		if (b.Position > 0) != (b.Status == Waitlisted) {
			return fmt.Errorf("booking %d is %s at position %d", i, b.Status, b.Position)
		}
		if b.Version < 1 || b.Version > len(v.Ledger) || v.Ledger[b.Version-1].Booking != i {
			return fmt.Errorf("booking %d is of version %d, which is another's", i, b.Version)
		}
	}
	switch {
	case taken != v.Taken || taken > v.Capacity:
		return fmt.Errorf("%d seats are taken by bookings, %d by the slot's count, of %d", taken, v.Taken, v.Capacity)
	case waiting != v.Waiting || waiting != len(v.Queue):
		return fmt.Errorf("%d bookings wait, %d by the slot's count, %d in the queue", waiting, v.Waiting, len(v.Queue))
	case len(v.Ledger) != v.Version:
		return fmt.Errorf("version %d has a ledger of %d entries", v.Version, len(v.Ledger))
	}
	for i, p := range v.Queue {
		if v.Bookings[p.Booking].Position != i+1 {
			return fmt.Errorf("booking %d is at place %d and says %d", p.Booking, i+1, v.Bookings[p.Booking].Position)
		}
	}
	return nil
}

// CheckPeople holds what is true of people over all slots, whose hours are given.
func CheckPeople(slots []Slot, views []View) error {
	var seen []BookingView
	for _, v := range views {
		for _, b := range v.Bookings {
			seen = append(seen, b)
		}
	}
	live := func(b BookingView) bool { return b.Status != Cancelled && b.Status != Expired }
	seated := func(b BookingView) bool { return live(b) && b.Status != Waitlisted }
	for i, a := range seen {
		for _, b := range seen[:i] {
			s, o := slots[a.Slot], slots[b.Slot]
			switch {
			case a.Person != b.Person:
			case a.Slot == b.Slot && live(a) && live(b):
				return fmt.Errorf("person %d has two live bookings of slot %d", a.Person, a.Slot)
			case seated(a) && seated(b) && s.From < o.To && o.From < s.To:
				return fmt.Errorf("person %d has seats in slots %d and %d, which overlap", a.Person, a.Slot, b.Slot)
			}
		}
	}
	return nil
}
