package witness

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// saw holds an answer against the slot at the version that it carries, after the
// entry e. effect is the version of the operation's own entry, if it has one.
func (s *slot) saw(o Operation, e Entry, effect int64) error {
	switch {
	case o.Ending == Refused:
		return s.refused(o)
	case o.Deed == ReadPosition:
		return s.sawPosition(o)
	case o.Deed == ReadSlot || o.Deed == Edit:
		return s.sawSlot(o)
	}
	return s.sawBooking(o, e, effect)
}

// sawSlot: the counters are the slot's; after an edit, the capacity is as asked.
func (s *slot) sawSlot(o Operation) error {
	is := Sight{Version: s.version, Capacity: s.capacity, Taken: s.taken, Free: s.free(), Waiting: s.waiting, Revision: s.revision}
	switch {
	case o.Saw != is:
		return fmt.Errorf("the slot is %s", is)
	case o.Deed == Edit && s.capacity != o.Seats:
		return fmt.Errorf("the capacity is %d", s.capacity)
	}
	return nil
}

// sawBooking: the booking is as its last entry left it, and as the request wants it.
func (s *slot) sawBooking(o Operation, e Entry, effect int64) error {
	b := s.bookings[o.Saw.Booking]
	switch {
	case o.Booking != uuid.Nil && o.Booking != b.id, o.User != b.user:
		return errors.New("the answer is about another booking")
	case o.Saw.Status != b.status, o.Saw.Seats != b.seats, o.Saw.Least != b.least, o.Saw.Blocked != b.blocked:
		return fmt.Errorf("the booking is %s with %d seats (at least %d, blocked: %t)", b.status, b.seats, b.least, b.blocked)
	case (o.Saw.Position != 0) != (b.status == Waitlisted):
		return fmt.Errorf("a booking that is %s has place %d in the queue", b.status, o.Saw.Position)
	case o.Deed.makes() && effect != e.Version:
		return fmt.Errorf("entry %d is not its effect", e.Version)
	case o.Deed == Book && b.status == Waitlisted && o.Saw.Position != s.waiting:
		return fmt.Errorf("the newcomer is at place %d", s.waiting)
	case o.Deed == Resize && effect == 0 && b.seats != o.Seats:
		return fmt.Errorf("the booking has %d seats", b.seats)
	}
	if outcome, decided := outcomes[o.Deed]; decided && b.status != outcome {
		return fmt.Errorf("the booking is %s", b.status)
	}
	return nil
}

// outcomes is what an acknowledged request must have made of a booking.
var outcomes = map[Deed]Status{Hold: Held, Confirm: Confirmed, Accept: Confirmed, Cancel: Cancelled, Decline: Cancelled}

// sawPosition: the place in the queue, and what is ahead of it.
func (s *slot) sawPosition(o Operation) error {
	b := s.bookings[o.Booking]
	if b == nil || b.user != o.User {
		return errors.New("the user has no such booking")
	}
	is := Sight{Version: s.version, Booking: b.id, Status: b.status, Blocked: b.blocked, Free: s.free()}
	if b.status == Waitlisted {
		is.Passes = b.passes
		readySeats := 0
		for _, other := range s.queue {
			is.Position++
			if other == b {
				break
			}
			is.BookingsAhead++
			is.SeatsAhead += other.seats
			if !other.blocked {
				readySeats += other.seats
			}
		}
		is.SeatsNeeded = max(0, readySeats+b.needs()-s.free())
	} else {
		is.Passes = o.Saw.Passes // of a wait that is over
	}
	if o.Saw != is {
		return fmt.Errorf("the place is %s", is)
	}
	return nil
}

// refused: what was given as the reason was so.
func (s *slot) refused(o Operation) error {
	truth, known := refusals[refusal{o.Deed, o.Saw.Code}]
	if !known {
		return fmt.Errorf("%s is no refusal of %s", o.Saw.Code, o.Deed)
	}
	return truth(s, o)
}

type refusal struct {
	deed Deed
	code string
}

// refusals are the reasons that may be given, and what makes them true.
var refusals = map[refusal]func(*slot, Operation) error{
	{Book, "already_booked"}:          (*slot).isBooked,
	{Hold, "already_booked"}:          (*slot).isBooked,
	{Book, "slot_full"}:               (*slot).isFull,
	{Hold, "slot_full"}:               (*slot).isFull,
	{Book, "waitlist_full"}:           (*slot).isWaitlistFull,
	{Book, "seats_exceed_capacity"}:   (*slot).isSmall,
	{Hold, "seats_exceed_capacity"}:   (*slot).isSmall,
	{Resize, "seats_exceed_capacity"}: (*slot).isSmall,
	{Resize, "slot_full"}:             (*slot).isFullForMore,
	{Resize, "invalid_transition"}:    (*slot).isFixed,
	{Confirm, "invalid_transition"}:   notIn(Held, Confirmed, Expired),
	{Confirm, "hold_expired"}:         in(Expired),
	{Accept, "invalid_transition"}:    notIn(Offered, Confirmed, Expired),
	{Accept, "offer_expired"}:         in(Expired),
	{Decline, "invalid_transition"}:   notIn(Offered, Cancelled, Expired),
	{Decline, "offer_expired"}:        in(Expired),
	{Cancel, "invalid_transition"}:    in(Expired),
	{Edit, "capacity_below_taken"}:    (*slot).isTaken,
	{Edit, "version_mismatch"}:        (*slot).isEdited,
}

func (s *slot) isBooked(o Operation) error {
	if b := s.live[o.User]; b == nil || b.id != o.Saw.Booking {
		return errors.New("the user has no such booking")
	}
	return nil
}

// isFree: nothing but seats keeps the newcomer out.
func (s *slot) isFree(o Operation) error {
	switch {
	case s.live[o.User] != nil:
		return errors.New("the user has booked already")
	case o.Seats > s.capacity:
		return errors.New("there are not so many seats altogether")
	}
	return nil
}

func (s *slot) isFull(o Operation) error {
	if err := s.isFree(o); err != nil {
		return err
	}
	seats, _, err := s.admits(wish{o.Seats, o.Least, o.Waits})
	switch {
	case err != nil:
		return err
	case seats > 0:
		return fmt.Errorf("%d seats are free, and nobody is first", s.free())
	case o.Waits:
		return errors.New("the newcomer would have waited")
	}
	return nil
}

func (s *slot) isWaitlistFull(o Operation) error {
	if !o.Waits || !s.waitlistFull() {
		return fmt.Errorf("%d wait", s.waiting)
	}
	o.Waits = false
	return s.isFull(o)
}

func (s *slot) isSmall(o Operation) error {
	if o.Seats <= s.capacity {
		return fmt.Errorf("there are %d seats altogether", s.capacity)
	}
	return nil
}

// isFullForMore: one who has seats wants more, which are not free or not for them.
func (s *slot) isFullForMore(o Operation) error {
	b := s.bookings[o.Booking]
	next, _, _ := s.turn()
	switch {
	case next != nil:
		return fmt.Errorf("it is decided on while it is the turn of booking %s, which waits", next.id)
	case b == nil || b.status != Confirmed || o.Seats <= b.seats:
		return fmt.Errorf("the booking is %s", b)
	case s.spare(o.Seats - b.seats):
		return fmt.Errorf("%d seats are free, and nobody waits", s.free())
	}
	return nil
}

// isFixed: a booking that is over cannot be resized, and what is held or offered
// not become more.
func (s *slot) isFixed(o Operation) error {
	b := s.bookings[o.Booking]
	if b == nil || o.Saw.Status != b.status || b.status.live() && (b.status == Waitlisted || b.status == Confirmed || o.Seats <= b.seats) {
		return fmt.Errorf("the booking is %s", b)
	}
	return nil
}

func (s *slot) isTaken(o Operation) error {
	if o.Seats >= s.taken {
		return fmt.Errorf("%d seats are taken", s.taken)
	}
	return nil
}

func (s *slot) isEdited(o Operation) error {
	if o.Revision == s.revision {
		return fmt.Errorf("the slot is at revision %d", s.revision)
	}
	return nil
}

// in and notIn: the booking was such, or was not, and the refusal names what it was.
func in(statuses ...Status) func(*slot, Operation) error { return among(true, statuses) }

func notIn(statuses ...Status) func(*slot, Operation) error { return among(false, statuses) }

func among(is bool, statuses []Status) func(*slot, Operation) error {
	return func(s *slot, o Operation) error {
		b := s.bookings[o.Booking]
		if b == nil || slices.Contains(statuses, b.status) != is || o.Saw.Status != "" && o.Saw.Status != b.status {
			return fmt.Errorf("the booking is %s", b)
		}
		return nil
	}
}
