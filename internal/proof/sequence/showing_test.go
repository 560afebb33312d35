//go:build unix

package sequence

import (
	"fmt"
	"slices"
	"strings"

	"eventbooking/internal/proof/spec"
)

// slotView is what the API shows of a slot.
type slotView struct {
	Status                            spec.SlotStatus
	Capacity, Taken, Waiting, Version int
	Bookings                          map[int]bookingView
	Queue                             []waiting
	Ledger                            []spec.Entry
}

// bookingView is what the API shows of a booking.
type bookingView struct {
	Person, Slot        int
	Seats, Least        int
	Status              spec.Status
	Position            int // 0: it does not wait
	Blocked             bool
	Replaces, MovedFrom int
	CheckedIn           bool
	Version             int
}

// waiting is what the API shows of one in a queue.
type waiting struct {
	Booking, Passes, Blocker int
}

// show is a slot of the model.
func show(m *spec.Model, slot int) slotView {
	s := &m.Slots[slot]
	v := slotView{Status: s.Status, Capacity: s.Capacity, Taken: s.Taken(), Waiting: len(s.Queue), Version: s.Version,
		Bookings: map[int]bookingView{}, Ledger: s.Ledger}
	for _, b := range m.Bookings() {
		if b.Slot == slot {
			v.Bookings[b.Number] = bookingshow(m, b)
		}
	}
	for _, b := range s.Queue {
		_, blocker := m.Hindered(b)
		v.Queue = append(v.Queue, waiting{b.Number, b.Passes, blocker})
	}
	return v
}

func bookingshow(m *spec.Model, b spec.Booking) bookingView {
	return bookingView{Person: b.Person, Slot: b.Slot, Seats: b.Seats, Least: b.Least, Status: b.Status,
		Position: m.Position(b), Blocked: b.Blocked, Replaces: b.Replaces, MovedFrom: b.MovedFrom, CheckedIn: b.CheckedIn, Version: b.Version}
}

// difference tells what one view has and the other has not, a line for each;
// nothing, if they are the same.
func difference(want, got slotView) string {
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

func (v slotView) lines() []string {
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

// check examines what is true of a slot at any time, whatever the specification says.
func (v slotView) check() error {
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
		if b.Version < 1 || b.Version > len(v.Ledger) {
			return fmt.Errorf("booking %d has version %d, of %d", i, b.Version, len(v.Ledger))
		}
		if e := v.Ledger[b.Version-1]; e.Booking != i && (!e.Moves || !b.Status.Live()) {
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

// checkPeople examines what is true of people over all slots, whose hours are
// those of the model.
func checkPeople(m *spec.Model, views []slotView) error {
	var seen []bookingView
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
