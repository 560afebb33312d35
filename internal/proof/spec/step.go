package spec

import (
	"errors"
	"fmt"
	"slices"
)

// Step is one change of a slot, or of a booking of it, as an entry of the ledger
// tells it.
type Step struct {
	Kind Kind
	Slot int
	// Booking is the one that changes; None: the slot does.
	Booking int
	// Newcomer is what was asked for, where the booking is a new one.
	Newcomer
	// Blocker is the reason for Blocked; Capacity is the one after Opened and Edited.
	Blocker, Capacity int
	// Moves says that Edited gives the slot the hours From and To.
	Moves    bool
	From, To int
}

// Newcomer is what somebody asks of a slot. Of Resized only the seats count, and
// a Least of None is the one before, or as many as there are seats.
type Newcomer struct {
	Person, Seats, Least int
	Replaces, MovedFrom  int
}

// lookAhead is how many may be passed at most.
const lookAhead = 100

// Take takes a step. The error says why no slot that keeps its promises takes it;
// what the model is then is undefined.
func (m *Model) Take(step Step) error {
	s := &m.Slots[step.Slot]
	rule, known := kinds[step.Kind]
	switch {
	case !known:
		return fmt.Errorf("there is no kind %q", step.Kind)
	case (step.Kind == KindOpened) != (s.Version == 0):
		return errors.New("a ledger begins with opened, once")
	case len(s.passed) == 0 && step.Kind == KindPassed:
		return errors.New("nobody has passed this booking")
	case len(s.passed) > 0 && (step.Kind != KindPassed || step.Booking != s.passed[0]):
		return s.unsaid()
	}
	// A hold or an offer that has run out has no seats any more, whatever comes next.
	for _, b := range s.Seated {
		if b.Until > 0 && m.Now >= b.Until && step.Kind != KindExpired {
			return fmt.Errorf("booking %d ran out at %s and still takes seats", b.Number, b.Until)
		}
	}
	s.Version++
	if err := rule.take(m, s, step); err != nil {
		return err
	}
	if b := m.live(step.Booking); b != nil {
		b.Version = s.Version
	} else if b, known := m.past[step.Booking]; known {
		b.Version = s.Version
		m.past[step.Booking] = b
	}
	if m.past != nil {
		s.Ledger = append(s.Ledger, Entry{step.Kind, step.Booking, step.Moves})
	}
	if taken := s.Taken(); taken > s.Capacity {
		return fmt.Errorf("%d seats are taken of %d", taken, s.Capacity)
	}
	return nil
}

// must takes a step of a command, which decides on legal ones only.
func (m *Model) must(step Step) {
	if err := m.Take(step); err != nil {
		panic(fmt.Sprintf("%+v: %v", step, err))
	}
}

func (s *Slot) unsaid() error {
	return fmt.Errorf("entry %d passed booking %d, and no entry says so", s.served, s.passed[0])
}

// Served is the version of the entry that passed those of whom the next entries
// have to say so.
func (s *Slot) Served() int { return s.served }

// canPass says whether a booking may have seats before those who wait, in order.
func (m *Model) canPass(waiting []*Booking) bool {
	exhausted := func(b *Booking) bool { return b.Passes >= m.MaxPasses }
	return len(waiting) == 0 || m.FirstFit && len(waiting) < lookAhead && !slices.ContainsFunc(waiting, exhausted)
}

// CanSeat says whether a newcomer who needs so many seats gets them at once: they
// are free, and nobody waits who must not be passed.
func (m *Model) CanSeat(slot, needs int) bool {
	s := &m.Slots[slot]
	return needs <= s.Free() && m.canPass(s.ready())
}

// seatNewcomer gives a newcomer seats that are free and that nobody comes first for.
func (m *Model) seatNewcomer(s *Slot, step Step) error {
	b, err := m.newcomer(s, step)
	switch {
	case err != nil:
		return err
	case !m.CanSeat(step.Slot, b.Needs()):
		return errors.New("a newcomer gets seats that are not free, or not for them")
	case len(m.busy(b.Person, b.Slot, m.gives(&b))) > 0:
		return errors.New("a newcomer gets seats who has others at that time")
	}
	b.Status = Confirmed
	if step.Kind == KindHeld {
		b.Status, b.Until = Held, m.Now+m.HoldFor
	}
	if b.MovedFrom != None {
		m.follow(b.MovedFrom, b.Number)
	}
	m.seat(s, b, s.ready())
	return nil
}

// enqueue lets a newcomer wait who cannot have seats at once.
func (m *Model) enqueue(s *Slot, step Step) error {
	b, err := m.newcomer(s, step)
	switch {
	case err != nil:
		return err
	case m.CanSeat(step.Slot, b.Needs()):
		return fmt.Errorf("%d seats are free and nobody is first, but the newcomer waits", s.Free())
	case m.waitlist(s) != "":
		return fmt.Errorf("a newcomer waits, though it is %s", m.waitlist(s))
	}
	b.Status = Waitlisted
	m.put(b)
	return nil
}

// waitlist is the refusal of who would wait, if there is one.
func (m *Model) waitlist(s *Slot) Code {
	switch {
	case m.Waitlist == Off:
		return WaitlistDisabled
	case m.Limit != None && len(s.Queue) >= m.Limit:
		return WaitlistFull
	}
	return ""
}

// newcomer is the booking of a step that makes one.
func (m *Model) newcomer(s *Slot, step Step) (Booking, error) {
	b := Booking{Number: step.Booking, Person: step.Person, Slot: step.Slot, Seats: step.Seats, Least: step.Least,
		Blocker: None, Replaces: step.Replaces, Gives: step.Replaces, MovedFrom: step.MovedFrom}
	other := m.Of(step.Person, step.Slot)
	switch _, known := m.Booking(step.Booking); {
	case known:
		return b, errors.New("the booking was there before")
	case other != nil:
		return b, fmt.Errorf("its user has booking %d of the slot", other.Number)
	case m.started(b.Slot):
		return b, errors.New("the slot has started")
	case b.Seats > s.Capacity:
		return b, fmt.Errorf("%d seats were asked for, more than there are altogether", b.Seats)
	case m.PerBooking > 0 && b.Seats > m.PerBooking && b.MovedFrom == None:
		return b, fmt.Errorf("%d seats were asked for, more than a booking can have", b.Seats)
	}
	return b, nil
}

// seat gives a booking its seats, as many as there are, past some who wait. What
// it gives back for them is others' to cancel (see gave).
func (m *Model) seat(s *Slot, b Booking, passed []*Booking) {
	b.Seats = min(b.Seats, s.Free())
	s.served, s.passed = s.Version, nil
	for _, p := range passed {
		s.passed = append(s.passed, p.Number)
	}
	m.put(b)
}

// confirm confirms a hold, or a newcomer at once.
func (m *Model) confirm(s *Slot, step Step) error {
	if m.live(step.Booking) == nil {
		return m.seatNewcomer(s, step)
	}
	return change(Confirmed, Held)(m, s, step)
}

// change is the step from one of some statuses to another.
func change(to Status, from ...Status) func(*Model, *Slot, Step) error {
	return func(m *Model, s *Slot, step Step) error {
		b, err := m.named(step)
		if err != nil {
			return err
		}
		if !slices.Contains(from, b.Status) {
			return fmt.Errorf("a booking that is %s cannot be %s", b.Status, step.Kind)
		}
		if m.final(&b) {
			return errors.New("the booking is final")
		}
		next := m.remove(b.Number)
		next.Status, next.Blocked, next.Blocker, next.CheckedIn, next.Until = to, false, None, false, 0
		m.put(next)
		return nil
	}
}

// named is the booking that a step changes.
func (m *Model) named(step Step) (Booking, error) {
	b, known := m.Booking(step.Booking)
	if !known || b.Slot != step.Slot {
		return b, errors.New("there is no such booking")
	}
	return b, nil
}

// expire ends a hold or an offer whose time is over, and a wait for a slot that
// has started.
func (m *Model) expire(s *Slot, step Step) error {
	if m.started(step.Slot) {
		return change(Expired, Held, Offered, Waitlisted)(m, s, step)
	}
	if b := m.live(step.Booking); b != nil && m.Now < b.Until {
		return fmt.Errorf("the booking had until %s", b.Until)
	}
	return change(Expired, Held, Offered)(m, s, step)
}

// promote gives seats to the next in the queue.
func (m *Model) promote(s *Slot, step Step) error {
	b, err := m.named(step)
	if err != nil {
		return err
	}
	next := m.next(step.Slot)
	offers := m.mustOffer(&b)
	switch {
	case !b.Ready():
		return fmt.Errorf("a booking that is %s (blocked: %t) gets seats", b.Status, b.Blocked)
	case (step.Kind == KindOffered) != offers:
		return fmt.Errorf("the service must offer the seats first: %t", offers)
	case next.hindered != nil:
		return fmt.Errorf("booking %d comes first, which has to be blocked", next.hindered.Number)
	case next.outgrown != nil:
		return fmt.Errorf("booking %d comes first, whose wait has to end", next.outgrown.Number)
	case next.served == nil:
		return fmt.Errorf("nobody is next: %d seats are free", s.Free())
	case next.served.Number != b.Number:
		return fmt.Errorf("booking %d is next", next.served.Number)
	}
	m.remove(b.Number)
	b.Status = Confirmed
	if offers {
		b.Status, b.Until = Offered, m.Now+m.OfferFor
	}
	m.seat(s, b, next.passed)
	return nil
}

// mustOffer says whether a promotion offers the seats first: what is given back for
// them must not be lost, so that an upgrade is confirmed at once.
func (m *Model) mustOffer(b *Booking) bool { return m.Waitlist == Offer && m.gives(b) == None }

// next is what comes next in a slot's queue.
type next struct {
	// hindered is the first who has to be blocked before anybody is served, because
	// of one of these reasons.
	hindered *Booking
	reasons  []int
	// outgrown is the first whose wait has to end before anybody is served.
	outgrown *Booking
	// served is the first who can have seats, past those who do not fit.
	served *Booking
	passed []*Booking
}

func (m *Model) next(slot int) (n next) {
	s := &m.Slots[slot]
	free := s.Free()
	for i := range s.Queue {
		b := &s.Queue[i]
		if free <= 0 || m.started(slot) || !m.canPass(n.passed) {
			break
		}
		if !b.Ready() {
			continue
		}
		reasons, isFirst := m.hindrances(b), n.hindered == nil && n.outgrown == nil
		switch {
		case len(reasons) > 0 && isFirst:
			n.hindered, n.reasons = b, reasons
		case len(reasons) > 0:
		case b.Needs() > free:
			n.passed = append(n.passed, b)
		case m.outgrown(b) && isFirst:
			n.outgrown = b
		case m.outgrown(b):
		default:
			n.served = b
			return n
		}
	}
	return n
}

// hindrances are the reasons why a booking that waits cannot take seats, however
// many are free: bookings of the same person, or None, where the slot is too small.
func (m *Model) hindrances(b *Booking) []int {
	if b.Needs() > m.Slots[b.Slot].Capacity {
		return []int{None}
	}
	return m.busy(b.Person, b.Slot, m.gives(b))
}

// Hindered says whether a booking that waits could not take seats now, whether it is
// marked as blocked or not, and because of which booking of the same person, or None.
func (m *Model) Hindered(b Booking) (is bool, by int) {
	if b.Status != Waitlisted {
		return false, None
	}
	busy := m.busy(b.Person, b.Slot, m.gives(&b))
	switch {
	case slices.Contains(busy, b.Blocker):
		return true, b.Blocker
	case len(busy) > 0:
		return true, slices.Min(busy)
	}
	return b.Needs() > m.Slots[b.Slot].Capacity, None
}

// pass notes with a booking that somebody went first.
func (m *Model) pass(s *Slot, step Step) error {
	s.passed = s.passed[1:]
	m.live(step.Booking).Passes++
	return nil
}

// block takes a booking out of the order of promotion, or puts it back. It keeps
// its place.
func (m *Model) block(_ *Slot, step Step) error {
	b, err := m.named(step)
	blocks := step.Kind == KindBlocked
	switch {
	case err != nil:
		return err
	case b.Status != Waitlisted || b.Blocked == blocks:
		return fmt.Errorf("a booking that is %s (blocked: %t) cannot be %s", b.Status, b.Blocked, step.Kind)
	case blocks && !slices.Contains(m.hindrances(&b), step.Blocker), !blocks && !m.unblockable(&b):
		return fmt.Errorf("it needs %d seats of %d, and its user has the seats %v", b.Needs(), m.Slots[b.Slot].Capacity, m.busy(b.Person, b.Slot, m.gives(&b)))
	case !blocks:
		step.Blocker = None
	}
	waiting := m.live(step.Booking)
	waiting.Blocked, waiting.Blocker = blocks, step.Blocker
	return nil
}

// unblockable says whether the reason is gone.
func (m *Model) unblockable(b *Booking) bool {
	if b.Blocker == None {
		return b.Needs() <= m.Slots[b.Slot].Capacity
	}
	blocker := m.live(b.Blocker)
	return blocker == nil || !blocker.Status.TakesSeats() || !m.Overlap(b.Slot, blocker.Slot) || m.gives(b) == b.Blocker
}

// resize changes the seats: who waits and wants more goes to the end of the queue.
func (m *Model) resize(s *Slot, step Step) error {
	b, err := m.named(step)
	if err != nil {
		return err
	}
	if step.Least == None {
		step.Least = min(b.Least, step.Seats)
	}
	if step.Seats == b.Seats && step.Least == b.Least {
		return errors.New("it is as large as before")
	}
	if code := m.refusesResize(b, Organizer, step.Seats, step.Least); code != "" {
		return fmt.Errorf("a booking that is %s has %d seats, and gets %d: %s", b.Status, b.Seats, step.Seats, code)
	}
	if b.Status == Waitlisted && step.Seats > b.Seats {
		m.remove(b.Number)
		b.Passes, b.Blocked, b.Blocker = 0, false, None
		m.put(b)
	}
	resized := m.live(b.Number)
	resized.Seats, resized.Least = step.Seats, step.Least
	return nil
}

func checkIn(come bool) func(*Model, *Slot, Step) error {
	return func(m *Model, _ *Slot, step Step) error {
		b := m.live(step.Booking)
		if b == nil || b.Status != Confirmed || b.CheckedIn == come {
			return errors.New("only a confirmed booking can be checked in, and only one that is checked in not be so")
		}
		b.CheckedIn = come
		return nil
	}
}

// edit gives a slot its capacity and its hours. One that leaves it as it is edits the rules of
// the event, and is no revision of the slot.
func (m *Model) edit(s *Slot, step Step) error {
	if step.Booking != None {
		return errors.New("an edit is not about a booking")
	}
	if step.Kind == KindEdited && (step.Capacity != s.Capacity || step.Moves) {
		s.Revision++
	}
	s.Capacity = step.Capacity
	if step.Moves {
		s.move(step.From, step.To)
	}
	return nil
}

// move gives a slot other hours. All its live bookings change with it.
func (s *Slot) move(from, to int) {
	s.From, s.To = from, to
	for _, list := range [][]Booking{s.Seated, s.Queue} {
		for i := range list {
			list[i].Version = s.Version
		}
	}
}

func restate(to SlotStatus) func(*Model, *Slot, Step) error {
	return func(_ *Model, s *Slot, step Step) error {
		if step.Booking != None || s.Status == to || s.Status == SlotCancelled {
			return fmt.Errorf("a slot that is %s cannot be %s", s.Status, to)
		}
		s.Status = to
		s.Revision++
		return nil
	}
}
