package seating

import (
	"fmt"
	"slices"
)

// counters are what a slot counts, and what one booking contributes to it.
type counters struct{ seatsTaken, waiting, ready int }

func (c counters) plus(o counters) counters {
	return counters{c.seatsTaken + o.seatsTaken, c.waiting + o.waiting, c.ready + o.ready}
}

func (c counters) minus(o counters) counters {
	return counters{c.seatsTaken - o.seatsTaken, c.waiting - o.waiting, c.ready - o.ready}
}

func (s *Slot) counters() counters {
	return counters{s.SeatsTaken, s.WaitlistLength, s.WaitlistReady}
}

func (b *Booking) counters() counters {
	switch {
	case b.Status.TakesSeats():
		return counters{seatsTaken: b.Seats}
	case b.Ready():
		return counters{waiting: 1, ready: 1}
	case b.Status == Waitlisted:
		return counters{waiting: 1}
	}
	return counters{}
}

// changes are the slots and bookings that a command wrote entries about.
type changes struct {
	slots    []*Slot
	bookings []*Booking
}

func (c *changes) note(slot *Slot, b *Booking) {
	if len(c.slots) == 0 || c.slots[len(c.slots)-1] != slot {
		c.slots = append(c.slots, slot)
	}
	if b != nil {
		c.bookings = append(c.bookings, b)
	}
}

// verify panics when the command that was just applied left a slot wrong: its
// counters must have changed by as much as the contributions of its bookings, its
// queues must still be in order, and only waiting bookings may be in them. It
// checks what the command changed, not what it found: in a slot that was wrong
// before, bookings can still be cancelled. At the desk, a command that panics has
// no effect at all.
func (s *State) verify() {
	for _, b := range s.changed.bookings {
		slot, now := s.slots[b.SlotID], b.counters()
		slot.counted = slot.counted.plus(now).minus(b.counted)
		b.counted = now
	}
	for _, slot := range s.changed.slots {
		if got := slot.counters(); got != slot.counted {
			panic(fmt.Sprintf("slot %s at version %d counts %+v; its bookings make that %+v", slot.ID, slot.Version, got, slot.counted))
		}
		if err := slot.checkQueue(); err != nil && !slot.wasWrong {
			panic(err)
		}
	}
	s.changed.slots, s.changed.bookings = s.changed.slots[:0], s.changed.bookings[:0]
}

// checkQueue checks the loaded part of the queue: every booking in it is ready, is
// there once, and is in its position.
func (s *Slot) checkQueue() error {
	for i, b := range s.ready {
		switch {
		case !b.Ready():
			return fmt.Errorf("slot %s: booking %s is in the ready queue, but is %s %s", s.ID, b.ID, b.Status, b.Blocked)
		case i > 0 && s.ready[i-1].QueuedVersion >= b.QueuedVersion:
			return fmt.Errorf("slot %s: booking %s is out of order in the queue", s.ID, b.ID)
		}
	}
	if at := slices.IndexFunc(s.blocked, func(b *Booking) bool { return b.Status != Waitlisted || b.Blocked == NotBlocked }); at >= 0 {
		return fmt.Errorf("slot %s: booking %s is among the blocked, but is %s", s.ID, s.blocked[at].ID, s.blocked[at].Status)
	}
	return nil
}

// Wrong returns what is wrong with the slots as they were loaded, for the log.
// Commands work on them all the same: see verify.
func (s *State) Wrong() []error {
	var wrong []error
	for _, slot := range s.Slots() {
		err := slot.checkQueue()
		slot.wasWrong = err != nil
		switch c := slot.counters(); {
		case err != nil:
			wrong = append(wrong, err)
		case c.seatsTaken < 0 || c.seatsTaken > slot.Capacity || c.ready < 0 || c.ready > c.waiting:
			wrong = append(wrong, fmt.Errorf("slot %s at version %d counts %+v of a capacity of %d", slot.ID, slot.Version, c, slot.Capacity))
		}
	}
	return wrong
}
