package sequence

import (
	"fmt"
	"slices"
	"strings"

	"eventbooking/internal/proof/spec"
)

// View is what the API shows of a slot.
type View struct {
	Status                            spec.SlotStatus
	Capacity, Taken, Waiting, Version int
	Bookings                          map[int]BookingView
	Queue                             []Waiting
	Ledger                            []spec.Entry
}

// BookingView is what the API shows of a booking.
type BookingView struct {
	Person, Slot        int
	Seats, Least        int
	Status              spec.Status
	Position            int // 0: it does not wait
	Blocked             bool
	Replaces, MovedFrom int
	CheckedIn           bool
	Version             int
}

// Waiting is what the API shows of one in a queue.
type Waiting struct {
	Booking, Passes, Blocker int
}

// ViewOf shows a slot of the model.
func ViewOf(m *spec.Model, slot int) View {
	s := &m.Slots[slot]
	v := View{Status: s.Status, Capacity: s.Capacity, Taken: s.Taken(), Waiting: len(s.Queue), Version: s.Version,
		Bookings: map[int]BookingView{}, Ledger: s.Ledger}
	for _, b := range m.Bookings() {
		if b.Slot == slot {
			v.Bookings[b.Number] = bookingViewOf(m, b)
		}
	}
	for _, b := range s.Queue {
		v.Queue = append(v.Queue, Waiting{b.Number, b.Passes, b.Blocker})
	}
	return v
}

func bookingViewOf(m *spec.Model, b spec.Booking) BookingView {
	return BookingView{Person: b.Person, Slot: b.Slot, Seats: b.Seats, Least: b.Least, Status: b.Status,
		Position: m.Position(b), Blocked: b.Blocked, Replaces: b.Replaces, MovedFrom: b.MovedFrom, CheckedIn: b.CheckedIn, Version: b.Version}
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
	for i, w := range v.Queue {
		lines = append(lines, fmt.Sprintf("position %d: %+v", i+1, w))
	}
	for i, e := range v.Ledger {
		lines = append(lines, fmt.Sprintf("entry %d: %+v", i+1, e))
	}
	slices.Sort(lines)
	return lines
}

// Check examines what is true of a slot at any time, whatever the specification says.
func (v View) Check() error {
	taken, waiting := 0, 0
	for i, b := range v.Bookings {
		if b.Status.TakesSeats() {
			taken += b.Seats
		}
		if b.Status == spec.Waitlisted {
			waiting++
		}
		if (b.Position > 0) != (b.Status == spec.Waitlisted) {
			return fmt.Errorf("booking %d is %s at position %d", i, b.Status, b.Position)
		}
		if b.Version < 1 || b.Version > len(v.Ledger) || v.Ledger[b.Version-1].Booking != i {
			return fmt.Errorf("booking %d has version %d, whose entry is about another", i, b.Version)
		}
	}
	switch {
	case taken != v.Taken || taken > v.Capacity:
		return fmt.Errorf("the bookings take %d seats and the slot counts %d, of %d", taken, v.Taken, v.Capacity)
	case waiting != v.Waiting || waiting != len(v.Queue):
		return fmt.Errorf("%d bookings wait, the slot counts %d, and the queue has %d", waiting, v.Waiting, len(v.Queue))
	case len(v.Ledger) != v.Version:
		return fmt.Errorf("version %d has a ledger of %d entries", v.Version, len(v.Ledger))
	}
	for i, w := range v.Queue {
		if v.Bookings[w.Booking].Position != i+1 {
			return fmt.Errorf("booking %d is at position %d of the queue and says %d", w.Booking, i+1, v.Bookings[w.Booking].Position)
		}
	}
	return nil
}

// CheckPeople examines what is true of people over all slots, whose hours are
// those of the model.
func CheckPeople(m *spec.Model, views []View) error {
	var seen []BookingView
	for _, v := range views {
		for _, b := range v.Bookings {
			seen = append(seen, b)
		}
	}
	for i, a := range seen {
		for _, b := range seen[:i] {
			switch {
			case a.Person != b.Person:
			case a.Slot == b.Slot && a.Status.Live() && b.Status.Live():
				return fmt.Errorf("person %d has two live bookings of slot %d", a.Person, a.Slot)
			case a.Status.TakesSeats() && b.Status.TakesSeats() && m.Overlap(a.Slot, b.Slot):
				return fmt.Errorf("person %d has seats in slots %d and %d, which overlap", a.Person, a.Slot, b.Slot)
			}
		}
	}
	return nil
}
