package seating

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// State is what commands decide on: slots, bookings and users' other seats as
// they were loaded under their locks, and everything that commands changed
// since. Commands of one batch are applied to one State, one after the other.
type State struct {
	Now      time.Time
	slots    map[uuid.UUID]*Slot
	bookings map[uuid.UUID]*Booking
	// made are the bookings that were made here.
	made map[uuid.UUID]bool
	// live are the users' live bookings of the slots that they want: one at most.
	live map[wish]*Booking
	// seated are each user's bookings that take seats at the times in question.
	seated map[uuid.UUID][]*Booking
	// held counts the seats that users hold, in all slots.
	held map[uuid.UUID]int
	// deleted are the users who were anonymised.
	deleted map[uuid.UUID]bool
	// blocks tells in which slots somebody waits who is blocked by a booking.
	blocks map[uuid.UUID][]uuid.UUID
	// awaits tells where users wait, with free seats, at overlapping times.
	awaits map[uuid.UUID][]awaited

	// What came out: the entries in order, and the slots that need a Promote,
	// with the further slots that it has to lock.
	entries []Entry
	wakes   map[uuid.UUID][]uuid.UUID
	clears  map[uuid.UUID]bool
}

type awaited struct {
	slotID           uuid.UUID
	startsAt, endsAt time.Time
}

// NewState is an empty State at the given time, for the desk, the simulator and tests to fill.
func NewState(now time.Time) *State {
	return &State{
		Now:      now,
		slots:    map[uuid.UUID]*Slot{},
		bookings: map[uuid.UUID]*Booking{},
		made:     map[uuid.UUID]bool{},
		live:     map[wish]*Booking{},
		seated:   map[uuid.UUID][]*Booking{},
		held:     map[uuid.UUID]int{},
		deleted:  map[uuid.UUID]bool{},
		blocks:   map[uuid.UUID][]uuid.UUID{},
		awaits:   map[uuid.UUID][]awaited{},
		wakes:    map[uuid.UUID][]uuid.UUID{},
		clears:   map[uuid.UUID]bool{},
	}
}

// AddSlot puts a slot into the state.
func (s *State) AddSlot(slot Slot) { s.slots[slot.ID] = &slot }

// AddBooking puts a booking into the state, once.
func (s *State) AddBooking(b Booking) {
	if s.bookings[b.ID] == nil {
		s.insert(&b)
	}
}

// AddHead puts a booking into the state and at the end of the loaded part of its
// slot's queue. Heads are added in the order of the queue, without gaps.
func (s *State) AddHead(b Booking) {
	s.AddBooking(b)
	slot := s.slots[b.SlotID]
	slot.ready = append(slot.ready, s.bookings[b.ID])
}

// add puts a booking into the state that was made by a command.
func (s *State) add(b *Booking) {
	s.made[b.ID] = true
	s.insert(b)
}

func (s *State) insert(b *Booking) {
	s.bookings[b.ID] = b
	if b.Status.Live() {
		s.live[wish{b.UserID, b.SlotID}] = b
	}
	if b.Status.TakesSeats() {
		s.seated[b.UserID] = append(s.seated[b.UserID], b)
	}
	slot := s.slots[b.SlotID]
	switch {
	case slot == nil: // Known for its time only.
	case b.Status == Held || b.Status == Offered:
		slot.timed = append(slot.timed, b)
	case b.Blocked != NotBlocked:
		at, _ := slices.BinarySearchFunc(slot.blocked, b, byPlace)
		slot.blocked = slices.Insert(slot.blocked, at, b)
	}
}

// Apply lets a command decide, and changes the state accordingly.
func (s *State) Apply(c Command) (Result, error) { return c.apply(s) }

// Slots, Bookings and Entries are what is in the state now: the slots and
// bookings in the order of their ids, the ledger in the order of its making.
func (s *State) Slots() []*Slot { return inOrder(s.slots) }

// Bookings: see Slots.
func (s *State) Bookings() []*Booking { return inOrder(s.bookings) }

// Entries: see Slots.
func (s *State) Entries() []Entry { return s.entries }

// slot finds a slot that commands may change.
func (s *State) slot(id uuid.UUID) (*Slot, error) {
	slot := s.slots[id]
	if slot == nil {
		return nil, fault.NotFound.New("There is no such slot.")
	}
	return slot, nil
}

// blocker is a booking of the user that takes seats at an overlapping time,
// leaving out the one that is to be given back.
func (s *State) blocker(userID uuid.UUID, starts, ends time.Time, except uuid.UUID) *Booking {
	for _, b := range s.seated[userID] {
		if b.ID != except && b.overlaps(starts, ends) {
			return b
		}
	}
	return nil
}

// turn is the only way in which a booking's status changes: it keeps the slot's
// counters and lists in step and writes the entry.
func (s *State) turn(b *Booking, to Status, kind Kind, by By, cause Cause) {
	slot, from := s.slots[b.SlotID], b.Status
	s.leave(slot, b)
	b.Status = to
	switch {
	case to.TakesSeats():
		slot.SeatsTaken += b.Seats
		if to == Offered {
			b.ExpiresAt = slot.kept(s.Now, slot.Policy.OfferFor)
			slot.timed = append(slot.timed, b)
		}
	case !to.Live():
		delete(s.live, wish{b.UserID, b.SlotID})
	}
	s.record(slot, b, kind, by, cause)

	switch {
	case to.TakesSeats() && !from.TakesSeats():
		s.seat(b)
	case !to.TakesSeats() && from.TakesSeats():
		s.unseat(b)
		slot.chance(s.Now)
	case from == Waitlisted:
		slot.noteReordered(s.Now)
	}
}

// leave undoes what a booking's present status means for its slot.
func (s *State) leave(slot *Slot, b *Booking) {
	switch {
	case b.Status.TakesSeats():
		slot.SeatsTaken -= b.Seats
		slot.timed = without(slot.timed, b)
		if b.Status == Held && (s.made[b.ID] || !b.due(s.Now)) { // What was due when loaded was not counted.
			s.held[b.UserID] -= b.Seats
		}
	case b.Ready():
		slot.WaitlistLength--
		slot.dequeue(b)
	case b.Status == Waitlisted:
		slot.WaitlistLength--
		slot.blocked = without(slot.blocked, b)
	}
	b.ExpiresAt, b.CheckedInAt, b.Blocked, b.BlockedBy = time.Time{}, time.Time{}, NotBlocked, uuid.Nil
}

// seat notes that the user has seats at this time.
func (s *State) seat(b *Booking) {
	s.seated[b.UserID] = append(s.seated[b.UserID], b)
	s.noteSeats(b)
}

// noteSeats wakes the slots in which the same user waits at an overlapping time:
// those behind must no longer wait for somebody who cannot come.
func (s *State) noteSeats(b *Booking) {
	for _, w := range s.awaits[b.UserID] {
		if w.slotID != b.SlotID && b.overlaps(w.startsAt, w.endsAt) {
			s.wake(w.slotID)
		}
	}
}

// unseat notes that the user's time is free again, also for those bookings of
// the same user that this one kept from being promoted.
func (s *State) unseat(b *Booking) {
	s.seated[b.UserID] = slices.DeleteFunc(s.seated[b.UserID], func(o *Booking) bool { return o == b })
	for _, slotID := range s.blocks[b.ID] {
		s.wake(slotID)
	}
}

// wake asks for a Promote of the slot, after this batch.
func (s *State) wake(slotID uuid.UUID, also ...uuid.UUID) {
	s.wakes[slotID] = append(s.wakes[slotID], also...)
}

// admit gives a newcomer seats at once, past those who did not fit.
func (s *State) admit(b *Booking, to Status, kind Kind, passed []*Booking, by By, cause Cause) {
	slot := s.slots[b.SlotID]
	b.Status = to
	slot.SeatsTaken += b.Seats
	if to == Held {
		s.held[b.UserID] += b.Seats
	}
	s.record(slot, b, kind, by, cause)
	s.add(b)
	s.noteSeats(b)
	s.pass(passed, Cause{slot.ID, slot.Version})
}

// join puts a newcomer at the end of the queue.
func (s *State) join(b *Booking, by By) {
	s.queue(b, KindWaitlisted, by)
	s.add(b)
}

// queue gives a booking the last place in the queue.
func (s *State) queue(b *Booking, kind Kind, by By) {
	slot := s.slots[b.SlotID]
	b.Status, b.QueuedVersion, b.Passes = Waitlisted, slot.Version+1, 0
	slot.WaitlistLength++
	slot.enqueue(b)
	s.record(slot, b, kind, by, Cause{})
}

// block takes a booking out of the ready queue; it keeps its place.
func (s *State) block(b *Booking, why Block, blocker uuid.UUID) {
	slot := s.slots[b.SlotID]
	slot.dequeue(b)
	b.Blocked, b.BlockedBy = why, blocker
	slot.blocked = append(slot.blocked, b)
	s.record(slot, b, KindBlocked, System(string(why)), Cause{})
	if slot.FreedVersion == 0 {
		// Nothing was ever freed: whoever is served next owes it to this.
		slot.FreedVersion = slot.Version
	}
}

// unblock puts a booking back into the ready queue, at its old place.
func (s *State) unblock(b *Booking, cause Cause) {
	slot := s.slots[b.SlotID]
	slot.blocked = without(slot.blocked, b)
	b.Blocked, b.BlockedBy = NotBlocked, uuid.Nil
	slot.enqueue(b)
	s.record(slot, b, KindUnblocked, System(""), cause)
	slot.chance(s.Now)
}

// record appends the entry of what was just done to a slot, and to a booking of
// it, to the ledger.
func (s *State) record(slot *Slot, b *Booking, kind Kind, by By, cause Cause) {
	slot.Version++
	slot.UpdatedAt = s.Now
	e := Entry{
		SlotID: slot.ID, Version: slot.Version, Kind: kind,
		Capacity: slot.Capacity, SeatsTaken: slot.SeatsTaken, WaitlistLength: slot.WaitlistLength,
		By: by, Cause: cause, At: s.Now,
	}
	if b != nil {
		b.Version, b.UpdatedAt = slot.Version, s.Now
		e.BookingID, e.UserID, e.Seats, e.Status = b.ID, b.UserID, b.Seats, b.Status
	}
	s.entries = append(s.entries, e)
}
