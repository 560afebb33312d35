// Package spec is the specification of slots: what their seats, their queues and
// their bookings are, which steps may change them (step.go), what each command of
// the API does and answers (command.go), and what the service does by itself
// (rest.go). It is sequential, it has no database and no clock, and it shares no
// code with the service.
//
// Three checkers use it. The witness replays the ledger of a slot as steps,
// porcupine's models apply commands to states and compare these, and the
// sequences compare everything that the API shows after each command. A new
// command, ledger kind or status is added here and nowhere else.
package spec

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// Model is the slots of an event, with all bookings of them. People are known by
// their numbers, and so are slots and bookings.
type Model struct {
	Rules
	Slots []Slot
	// Now is the time since any fixed moment; holds and offers run out by it. Hour is
	// the time by which slots start and end.
	Now  time.Duration
	Hour int
	// past are the bookings that are over. Nil: they are forgotten, as ledgers are.
	past map[int]Booking
	made int
}

// Rules are the settings of the event.
type Rules struct {
	Waitlist  Mode
	Limit     int // how many may wait for a slot; None: any number
	FirstFit  bool
	MaxPasses int
	// PerBooking and PerUser are the most seats of one booking, and of one person in all
	// slots; 0: any number.
	PerBooking, PerUser int
	// HoldFor and OfferFor are how long seats are kept.
	HoldFor, OfferFor time.Duration
}

// Slot is one dated session. Its hours are half-open.
type Slot struct {
	From, To int
	Capacity int
	Status   SlotStatus
	// Seated are the bookings with seats, in the order of their numbers; Queue are
	// those that wait, first come first.
	Seated, Queue []Booking
	// Version counts the ledger's entries, Revision the edits of the settings.
	Version, Revision int
	Ledger            []Entry

	// passed are the bookings that the entry at version served has passed, which the
	// next entries have to say.
	passed []int
	served int
}

// Booking is one person's claim on seats.
type Booking struct {
	Number       int
	Person, Slot int
	Seats        int
	// Least is the number of seats that it accepts; 0: only all of them.
	Least     int
	Status    Status
	CheckedIn bool
	// Blocked: it waits, and cannot take seats, because of the booking Blocker or,
	// where that is None, because the slot is too small.
	Blocked bool
	Blocker int
	Passes  int
	// Replaces is the booking that it was to give back for its seats, Gives the one
	// that has taken its place; MovedFrom is what it was made from.
	Replaces, Gives, MovedFrom int
	// Until is when a hold or an offer runs out.
	Until time.Duration
	// Version is that of its last entry, or of a later move of its slot.
	Version int
}

// Entry is one entry of a ledger.
type Entry struct {
	Kind    Kind
	Booking int // None: about the slot
	// Moves says that it gave the slot other hours.
	Moves bool
}

// None is no booking, no limit, nobody.
const None = -1

// beforeAll is an hour before all slots.
const beforeAll = -1000

type (
	// SlotStatus and Mode are words of the API.
	SlotStatus string
	Mode       string
)

// A slot's life, and what the waitlist may be.
const (
	Open          SlotStatus = "open"
	Closed        SlotStatus = "closed"
	SlotCancelled SlotStatus = "cancelled"

	Off       Mode = "off"
	Automatic Mode = "automatic"
	Offer     Mode = "offer"
)

// New is a model of slots that have just been opened.
func New(rules Rules, slots ...Slot) *Model {
	m := Unopened(rules, slots...)
	for i := range m.Slots {
		m.must(Step{Kind: KindOpened, Slot: i, Booking: None, Capacity: slots[i].Capacity})
	}
	return m
}

// Unopened is a model of slots whose ledgers are still empty.
func Unopened(rules Rules, slots ...Slot) *Model {
	m := &Model{Rules: rules, Slots: slots, Hour: beforeAll, past: map[int]Booking{}}
	for i := range m.Slots {
		m.Slots[i].Status = Open
	}
	return m
}

// Forgetful is the same model without memory: bookings that are over are gone,
// and ledgers are not kept, so that equal situations are equal models.
func (m *Model) Forgetful() *Model {
	m.past = nil
	for i := range m.Slots {
		m.Slots[i].Ledger = nil
	}
	return m
}

// Clone is a copy that shares nothing which changes.
func (m *Model) Clone() *Model {
	c := *m
	c.Slots, c.past = slices.Clone(m.Slots), maps.Clone(m.past)
	for i := range c.Slots {
		s := &c.Slots[i]
		s.Seated, s.Queue, s.passed = slices.Clone(s.Seated), slices.Clone(s.Queue), slices.Clone(s.passed)
		s.Ledger = s.Ledger[:len(s.Ledger):len(s.Ledger)]
	}
	return &c
}

// started and ended are of a slot; at its first and last hour it has.
func (m *Model) started(slot int) bool { return m.Hour >= m.Slots[slot].From }
func (m *Model) ended(slot int) bool   { return m.Hour >= m.Slots[slot].To }

// final says whether a booking never changes again: it was attended, or could have been.
func (m *Model) final(b *Booking) bool {
	return b.Status == Confirmed && (m.ended(b.Slot) || b.CheckedIn && m.started(b.Slot))
}

// gives is the booking that another one gives back for its seats: the one that it
// was to replace, or what took the place of that, as long as its owner may give it
// back.
func (m *Model) gives(b *Booking) int {
	old := m.live(b.Gives)
	if old == nil || !old.Status.TakesSeats() || old.CheckedIn || m.started(old.Slot) {
		return None
	}
	return old.Number
}

// Ready says whether a booking waits and may be promoted.
func (b *Booking) Ready() bool { return b.Status == Waitlisted && !b.Blocked }

// Needs is how many seats it takes to serve a booking.
func (b *Booking) Needs() int {
	if b.Least > 0 {
		return b.Least
	}
	return b.Seats
}

// Taken counts the seats that somebody has.
func (s *Slot) Taken() (n int) {
	for i := range s.Seated {
		n += s.Seated[i].Seats
	}
	return n
}

// Free counts the seats that nobody has.
func (s *Slot) Free() int { return s.Capacity - s.Taken() }

// Available counts the seats that somebody might still get.
func (s *Slot) Available() int {
	if s.Status == SlotCancelled {
		return 0
	}
	return s.Free()
}

// ready are those who wait and are not blocked, in order.
func (s *Slot) ready() (ready []*Booking) {
	for i := range s.Queue {
		if s.Queue[i].Ready() {
			ready = append(ready, &s.Queue[i])
		}
	}
	return ready
}

// find is a booking of the slot that is live, or nil. It is good until the next
// booking of the slot changes its status.
func (s *Slot) find(fits func(*Booking) bool) *Booking {
	for _, list := range [][]Booking{s.Seated, s.Queue} {
		for i := range list {
			if fits(&list[i]) {
				return &list[i]
			}
		}
	}
	return nil
}

// Of is the live booking that a person has in a slot, or nil.
func (m *Model) Of(person, slot int) *Booking {
	return m.Slots[slot].find(func(b *Booking) bool { return b.Person == person })
}

func (m *Model) live(number int) *Booking {
	for i := range m.Slots {
		if b := m.Slots[i].find(func(b *Booking) bool { return b.Number == number }); b != nil {
			return b
		}
	}
	return nil
}

// Booking is a booking, also one that is over, and whether the model knows it.
func (m *Model) Booking(number int) (Booking, bool) {
	if b := m.live(number); b != nil {
		return *b, true
	}
	b, known := m.past[number]
	return b, known
}

// Bookings are all that the model knows, in the order of their numbers.
func (m *Model) Bookings() []Booking {
	all := slices.Collect(maps.Values(m.past))
	for _, s := range m.Slots {
		all = append(append(all, s.Seated...), s.Queue...)
	}
	slices.SortFunc(all, byNumber)
	return all
}

func byNumber(a, b Booking) int { return a.Number - b.Number }

// Overlap says whether two slots are at overlapping times.
func (m *Model) Overlap(a, b int) bool {
	return m.Slots[a].From < m.Slots[b].To && m.Slots[b].From < m.Slots[a].To
}

// busy are a person's bookings with seats during a slot, without one that is to
// be given back.
func (m *Model) busy(person, slot, except int) (busy []int) {
	for i, other := range m.Slots {
		if !m.Overlap(slot, i) {
			continue
		}
		for _, b := range other.Seated {
			if b.Person == person && b.Number != except {
				busy = append(busy, b.Number)
			}
		}
	}
	return busy
}

// remove takes a live booking out of its slot, and put puts it where its status
// belongs.
func (m *Model) remove(number int) Booking {
	is := func(b Booking) bool { return b.Number == number }
	b := *m.live(number)
	s := &m.Slots[b.Slot]
	s.Seated, s.Queue = slices.DeleteFunc(s.Seated, is), slices.DeleteFunc(s.Queue, is)
	return b
}

func (m *Model) put(b Booking) {
	s := &m.Slots[b.Slot]
	switch {
	case b.Status.TakesSeats():
		at, _ := slices.BinarySearchFunc(s.Seated, b, byNumber)
		s.Seated = slices.Insert(s.Seated, at, b)
	case b.Status == Waitlisted:
		s.Queue = append(s.Queue, b)
	case m.past != nil:
		m.past[b.Number] = b
	}
}

// follow lets everybody who would give a booking back give back the one that took
// its place.
func (m *Model) follow(from, to int) {
	for i := range m.Slots {
		for j := range m.Slots[i].Queue {
			if b := &m.Slots[i].Queue[j]; b.Gives == from && b.Number != to {
				b.Gives = to
			}
		}
	}
}

// Key is the same for two models if and only if they are.
func (m *Model) Key() string {
	key := appendNumbers(append(make([]byte, 0, 512), m.Waitlist...), flag(m.FirstFit), m.MaxPasses, m.PerBooking, m.PerUser, m.Hour)
	for i := range m.Slots {
		s := &m.Slots[i]
		key = appendNumbers(append(key, s.Status...), s.Capacity, s.From, s.To, len(s.Seated), len(s.Queue), len(s.Ledger))
		for _, list := range [][]Booking{s.Seated, s.Queue} {
			for j := range list {
				key = m.appendBooking(key, &list[j])
			}
		}
		for _, e := range s.Ledger {
			key = appendNumbers(append(key, e.Kind...), e.Booking)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(m.past)) {
		b := m.past[number]
		key = m.appendBooking(key, &b)
	}
	return string(key)
}

func (m *Model) appendBooking(key []byte, b *Booking) []byte {
	gives := b.Gives
	if m.live(gives) == nil {
		gives = None // It makes no difference any more.
	}
	key = appendNumbers(key, int(b.Status), b.Number, b.Person, b.Slot, b.Seats, b.Least, flag(b.Blocked), b.Blocker, b.Passes, gives,
		flag(b.CheckedIn), int(b.Until))
	if m.past != nil {
		key = appendNumbers(key, b.Version)
	}
	return key
}

func appendNumbers(key []byte, numbers ...int) []byte {
	for _, n := range numbers {
		key = binary.AppendVarint(key, int64(n))
	}
	return key
}

func flag(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Position is a booking's place in its queue, from 1 on; 0: it does not wait.
func (m *Model) Position(b Booking) int {
	if b.Status != Waitlisted {
		return 0
	}
	return 1 + slices.IndexFunc(m.Slots[b.Slot].Queue, func(o Booking) bool { return o.Number == b.Number })
}

// Ahead are those who wait before a booking that waits.
func (m *Model) Ahead(b Booking) []Booking {
	return m.Slots[b.Slot].Queue[:max(0, m.Position(b)-1)]
}
