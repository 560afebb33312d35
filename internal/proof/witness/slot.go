package witness

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// slot is the specification: one slot as the domain's rules have it, taken
// through its ledger entry by entry. It was written from these rules, shares no
// code with the service, and prefers what is plainly right to what is fast.
type slot struct {
	rules Rules

	version, revision        int64
	capacity, taken, waiting int
	bookings                 map[uuid.UUID]*booking
	live                     map[uuid.UUID]*booking // by user
	// queue holds those who wait, blocked or not, in the order in which they joined.
	queue []*booking
	// timed are the holds and offers.
	timed []*booking

	// owed are those whom the entry at version served has passed, and who must be
	// told so by the entries that follow it.
	owed   []*booking
	served int64
}

// booking is a user's claim on seats.
type booking struct {
	id, user uuid.UUID
	status   Status
	seats    int
	// least is with how few it is content; 0: with none fewer.
	least   int
	passes  int
	blocked bool
	until   time.Time
}

// wish is what a newcomer asked for, which the ledger does not say.
type wish struct {
	seats, least int
	waits        bool
}

// lookAhead is how many may be passed at most.
const lookAhead = 100

func newSlot(rules Rules) *slot {
	return &slot{rules: rules, revision: rules.Revision, bookings: map[uuid.UUID]*booking{}, live: map[uuid.UUID]*booking{}}
}

func (s *slot) free() int { return s.capacity - s.taken }

func (b *booking) ready() bool { return b.status == Waitlisted && !b.blocked }

func (b *booking) String() string {
	if b == nil {
		return "not there"
	}
	return fmt.Sprintf("%s with %d seats (least %d, passes %d, blocked %t)", b.status, b.seats, b.least, b.passes, b.blocked)
}

// needs is how many seats it takes to serve it.
func (b *booking) needs() int {
	if b.least > 0 {
		return b.least
	}
	return b.seats
}

// turn is whose turn it is: the first in the queue who can have seats, past those
// who cannot. It is also the turn of a booking that has to be blocked, because it
// asks for more than there is altogether. If it is nobody's, open says whether a
// newcomer may pass all who wait.
func (s *slot) turn() (next *booking, passed []*booking, open bool) {
	if s.free() <= 0 {
		return nil, nil, false
	}
	for _, b := range s.queue {
		switch {
		case b.blocked:
			continue
		case b.needs() <= s.free() || b.needs() > s.capacity:
			return b, passed, false
		}
		passed = append(passed, b)
		if s.rules.Strict || b.passes >= s.rules.MaxPasses || len(passed) == lookAhead {
			return nil, passed, false
		}
	}
	return nil, passed, true
}

// admits says how many seats a newcomer gets at once, and whom that passes. It is
// asked only where it is nobody else's turn.
func (s *slot) admits(w wish) (seats int, passed []*booking, err error) {
	next, passed, open := s.turn()
	least := (&booking{seats: w.seats, least: w.least}).needs()
	switch {
	case next != nil:
		return 0, nil, fmt.Errorf("a newcomer is decided on while it is the turn of booking %s, which waits", next.id)
	case !open || least > s.free():
		return 0, nil, nil
	}
	return min(w.seats, s.free()), passed, nil
}

// step takes the slot through one entry. The wish is that of the newcomer, if the
// entry is of one.
func (s *slot) step(e Entry, w wish) error {
	if e.Version != s.version+1 {
		return fmt.Errorf("the entry after %d has version %d", s.version, e.Version)
	}
	for _, rule := range []func(Entry) error{s.opens, s.told, s.punctual, s.authentic} {
		if err := rule(e); err != nil {
			return err
		}
	}
	s.version = e.Version
	if err := s.change(e, w); err != nil {
		return err
	}
	return s.counts(e)
}

// opens: a ledger begins with the slot's opening, and only there is one.
func (s *slot) opens(e Entry) error {
	if (e.Kind == KindOpened) != (s.version == 0) {
		return errors.New("a ledger begins with opened, once")
	}
	return nil
}

// told: who is passed is told so at once, in the order of the queue.
func (s *slot) told(e Entry) error {
	switch {
	case len(s.owed) == 0 && e.Kind == KindPassed:
		return errors.New("nobody has passed this booking")
	case len(s.owed) > 0 && (e.Kind != KindPassed || e.Booking != s.owed[0].id):
		return fmt.Errorf("entry %d passed booking %s, and no entry says so", s.served, s.owed[0].id)
	case e.Kind == KindPassed && e.Cause != s.served:
		return fmt.Errorf("entry %d passed the booking", s.served)
	}
	return nil
}

// punctual: a hold or an offer that has run out has no seats any more, whatever
// comes next.
func (s *slot) punctual(e Entry) error {
	if e.Kind == KindExpired {
		return nil
	}
	for _, b := range s.timed {
		if !e.At.Before(b.until) {
			return fmt.Errorf("booking %s ran out at %s and still takes seats", b.id, b.until.UTC())
		}
	}
	return nil
}

// authentic: what the system does, nobody asked for, and the other way round.
func (s *slot) authentic(e Entry) error {
	if system := systems[e.Kind]; system != e.System {
		return fmt.Errorf("by the system: %t, should be %t", e.System, system)
	}
	return nil
}

var systems = map[Kind]bool{KindPromoted: true, KindOffered: true, KindPassed: true, KindBlocked: true, KindUnblocked: true, KindExpired: true}

// change is what the entry means.
func (s *slot) change(e Entry, w wish) error {
	switch e.Kind {
	case KindOpened:
		s.capacity = e.Capacity
		return nil
	case KindEdited:
		return s.edit(e)
	case KindWaitlisted:
		return s.join(e, w)
	case KindHeld:
		return s.admit(e, w)
	}
	b := s.bookings[e.Booking]
	switch {
	case b == nil && e.Kind == KindConfirmed:
		return s.admit(e, w)
	case b == nil:
		return errors.New("there is no such booking")
	case e.User != b.user:
		return fmt.Errorf("the booking is user %s's", b.user)
	}
	if err := s.turned(e, b); err != nil {
		return err
	}
	return matches(e, b)
}

func (s *slot) edit(e Entry) error {
	if e.Booking != uuid.Nil {
		return errors.New("nobody edits bookings here")
	}
	s.capacity = e.Capacity
	s.revision++
	return nil
}

// newcomer makes the booking of an entry that is its first.
func (s *slot) newcomer(e Entry, w wish) (*booking, error) {
	switch {
	case s.bookings[e.Booking] != nil:
		return nil, errors.New("the booking was there before")
	case s.live[e.User] != nil:
		return nil, fmt.Errorf("its user has booking %s of the slot", s.live[e.User].id)
	case w.seats > s.capacity:
		return nil, fmt.Errorf("%d seats were asked for, more than there are altogether", w.seats)
	}
	b := &booking{id: e.Booking, user: e.User, least: w.least}
	s.bookings[b.id], s.live[b.user] = b, b
	return b, nil
}

// admit: a newcomer gets seats where they are free and wanted by nobody before.
func (s *slot) admit(e Entry, w wish) error {
	seats, passed, err := s.admits(w)
	switch {
	case err != nil:
		return err
	case seats == 0:
		return errors.New("a newcomer gets seats that are not free, or not for them")
	}
	b, err := s.newcomer(e, w)
	if err != nil {
		return err
	}
	to := Confirmed
	if e.Kind == KindHeld {
		to = Held
	}
	s.become(b, to, seats, e.At)
	s.owe(passed)
	return matches(e, b)
}

// join: a newcomer waits who wants to, may, and cannot have seats at once.
func (s *slot) join(e Entry, w wish) error {
	seats, _, err := s.admits(w)
	switch {
	case err != nil:
		return err
	case seats > 0:
		return fmt.Errorf("%d seats are free and nobody is first, but the newcomer waits", s.free())
	case !w.waits:
		return errors.New("a newcomer waits who did not want to")
	case s.waitlistFull():
		return fmt.Errorf("%d wait already", s.waiting)
	}
	b, err := s.newcomer(e, w)
	if err != nil {
		return err
	}
	s.become(b, Waitlisted, w.seats, e.At)
	return matches(e, b)
}

func (s *slot) waitlistFull() bool {
	return s.rules.WaitlistLimit > 0 && s.waiting >= s.rules.WaitlistLimit
}

// turned is what happens to a booking that is there.
func (s *slot) turned(e Entry, b *booking) error {
	switch e.Kind {
	case KindPassed:
		s.owed = s.owed[1:]
		b.passes++
		return nil
	case KindPromoted, KindOffered:
		return s.promote(e, b)
	case KindBlocked, KindUnblocked:
		return s.block(e, b)
	case KindResized:
		return s.resize(e, b)
	case KindExpired:
		if e.At.Before(b.until) {
			return fmt.Errorf("the booking had until %s", b.until.UTC())
		}
	}
	arrow := arrows[e.Kind]
	if !slices.Contains(arrow.from, b.status) {
		return fmt.Errorf("a booking that is %s cannot be %s", b.status, e.Kind)
	}
	s.become(b, arrow.to, b.seats, e.At)
	return nil
}

// arrows are the ways of a booking's life that lead nowhere but from one status
// to another. (Waiting expires when the slot starts, which it does not here.)
var arrows = map[Kind]struct {
	from []Status
	to   Status
}{
	KindConfirmed: {[]Status{Held}, Confirmed},
	KindAccepted:  {[]Status{Offered}, Confirmed},
	KindDeclined:  {[]Status{Offered}, Cancelled},
	KindCancelled: {[]Status{Waitlisted, Held, Offered, Confirmed}, Cancelled},
	KindExpired:   {[]Status{Held, Offered}, Expired},
}

// promote: seats go to whose turn it is, as many as are wanted and free.
func (s *slot) promote(e Entry, b *booking) error {
	next, passed, _ := s.turn()
	switch {
	case !b.ready():
		return fmt.Errorf("a booking that is %s (blocked: %t) gets seats", b.status, b.blocked)
	case (e.Kind == KindOffered) != s.rules.Offers:
		return fmt.Errorf("seats are asked about first: %t", s.rules.Offers)
	case next == nil:
		return fmt.Errorf("it is nobody's turn: %d seats are free", s.free())
	case next != b:
		return fmt.Errorf("it is the turn of booking %s", next.id)
	case b.needs() > s.free():
		return fmt.Errorf("the booking needs %d seats, and %d are free", b.needs(), s.free())
	}
	to := Confirmed
	if s.rules.Offers {
		to = Offered
	}
	s.become(b, to, min(b.seats, s.free()), e.At)
	s.owe(passed)
	return nil
}

func (s *slot) owe(passed []*booking) { s.owed, s.served = passed, s.version }

// block: who asks for more seats than there are altogether keeps nobody waiting,
// until there are.
func (s *slot) block(e Entry, b *booking) error {
	blocks := e.Kind == KindBlocked
	switch {
	case b.status != Waitlisted || b.blocked == blocks:
		return fmt.Errorf("a booking that is %s (blocked: %t) cannot be %s", b.status, b.blocked, e.Kind)
	case (b.needs() > s.capacity) != blocks:
		return fmt.Errorf("it needs %d seats of %d altogether", b.needs(), s.capacity)
	}
	b.blocked = blocks
	return nil
}

// resize: who waits and wants more goes to the end; who has seats gets more only
// where nobody waits for them.
func (s *slot) resize(e Entry, b *booking) error {
	more := e.Seats - b.seats
	switch {
	case more == 0:
		return errors.New("it is as large as before")
	case !b.status.live(), more > 0 && (b.status == Held || b.status == Offered):
		return fmt.Errorf("a booking that is %s cannot be resized like this", b.status)
	case e.Seats > s.capacity:
		return fmt.Errorf("more seats than there are altogether")
	case more > 0 && b.status == Confirmed && !s.spare(more):
		return errors.New("it gets seats that are not free, or that others wait for")
	}
	if b.status == Waitlisted && more > 0 {
		s.become(b, Waitlisted, e.Seats, e.At)
		return nil
	}
	if b.status.takesSeats() {
		s.taken += more
	}
	b.seats, b.least = e.Seats, min(b.least, e.Seats)
	return nil
}

// spare says whether seats are free and wanted by nobody who waits.
func (s *slot) spare(seats int) bool {
	return seats <= s.free() && !slices.ContainsFunc(s.queue, (*booking).ready)
}

// become gives a booking a status, with everything that it means for the slot. A
// booking that waits, and is given that again, goes to the end of the queue.
func (s *slot) become(b *booking, to Status, seats int, now time.Time) {
	if b.status.takesSeats() {
		s.taken -= b.seats
	}
	if b.status == Waitlisted {
		s.waiting--
		s.queue = without(s.queue, b)
	}
	s.timed = without(s.timed, b)
	b.status, b.seats, b.blocked = to, seats, false
	switch to {
	case Waitlisted:
		s.waiting++
		s.queue = append(s.queue, b)
		b.passes = 0
	case Held:
		b.until = now.Add(s.rules.HoldFor)
		s.timed = append(s.timed, b)
	case Offered:
		b.until = now.Add(s.rules.OfferFor)
		s.timed = append(s.timed, b)
	}
	if to.takesSeats() {
		s.taken += seats
	}
	if !to.live() {
		delete(s.live, b.user)
	}
}

func without(list []*booking, b *booking) []*booking {
	if at := slices.Index(list, b); at >= 0 {
		return slices.Delete(list, at, at+1)
	}
	return list
}

// matches: the entry says of the booking what has become of it.
func matches(e Entry, b *booking) error {
	if e.Status != b.status || e.Seats != b.seats {
		return fmt.Errorf("it should leave the booking %s with %d seats", b.status, b.seats)
	}
	return nil
}

// counts: the entry's counters are the slot's, and no more seats are taken than
// there are.
func (s *slot) counts(e Entry) error {
	switch {
	case s.taken > s.capacity:
		return fmt.Errorf("%d seats are taken of %d", s.taken, s.capacity)
	case e.Capacity != s.capacity, e.Taken != s.taken, e.Waiting != s.waiting:
		return fmt.Errorf("it should say %d of %d taken, %d wait", s.taken, s.capacity, s.waiting)
	}
	return nil
}

// rests: nobody waits who could be served.
func (s *slot) rests() error {
	if len(s.owed) > 0 {
		return fmt.Errorf("entry %d passed booking %s, and no entry says so", s.served, s.owed[0].id)
	}
	if next, _, _ := s.turn(); next != nil {
		return fmt.Errorf("%d seats are free, and booking %s, which needs %d, still waits", s.free(), next.id, next.needs())
	}
	for _, b := range s.queue {
		if b.blocked && b.needs() <= s.capacity {
			return fmt.Errorf("booking %s is blocked, and needs %d seats of %d", b.id, b.needs(), s.capacity)
		}
	}
	return nil
}
