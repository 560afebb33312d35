package seating

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// State is what commands decide on: slots, bookings and users' other seats, as
// they were loaded under their locks and changed by commands since. The commands
// of a batch are applied to one State, one after the other.
type State struct {
	Now      time.Time
	Quotas   Quotas
	slots    map[uuid.UUID]*Slot
	bookings map[uuid.UUID]*Booking
	// created are the bookings that commands made.
	created map[uuid.UUID]bool
	// live has each user's live booking of a slot in which they want seats.
	live map[UserSlot]*Booking
	// seated has each user's bookings that take seats at the times in question.
	seated map[uuid.UUID][]*Booking
	// held counts the seats that each user holds, in all slots.
	held map[uuid.UUID]int
	// claims has each user's bookings in an event that limits the seats of a user; nil
	// where there is none, as mostly.
	claims map[UserEvent][]*Booking
	// holds are those of each user in a slot that have ended lately, edits how often they
	// have changed their bookings of it; nil where no quota asks for them.
	holds map[UserSlot][]Span
	edits map[UserSlot]Changes
	// deleted are the users who were anonymised.
	deleted map[uuid.UUID]bool
	// roles are those of the users who were locked, as they are now.
	roles map[uuid.UUID]string
	// blocks has, for each booking, the slots in which it blocks a waiting one.
	blocks map[uuid.UUID][]uuid.UUID
	// waits has, for each user, the slots with free seats in which they wait, at the
	// times in question.
	waits map[uuid.UUID][]Waiting

	// The outcome: the entries in order; the slots that need a Promote, with the
	// further slots that it must lock; and the slots whose bookings must be cancelled.
	entries       []Entry
	promotions    map[uuid.UUID][]uuid.UUID
	cancellations map[uuid.UUID]bool
	// changed is what the current command has changed, for verify.
	changed changes
}

// Waiting is a slot with free seats in which a user waits.
type Waiting struct {
	SlotID           uuid.UUID
	StartsAt, EndsAt time.Time
}

// NewState returns an empty State at the given time.
func NewState(now time.Time) *State {
	return &State{
		Now:           now,
		slots:         map[uuid.UUID]*Slot{},
		bookings:      map[uuid.UUID]*Booking{},
		created:       map[uuid.UUID]bool{},
		live:          map[UserSlot]*Booking{},
		seated:        map[uuid.UUID][]*Booking{},
		held:          map[uuid.UUID]int{},
		deleted:       map[uuid.UUID]bool{},
		roles:         map[uuid.UUID]string{},
		blocks:        map[uuid.UUID][]uuid.UUID{},
		waits:         map[uuid.UUID][]Waiting{},
		promotions:    map[uuid.UUID][]uuid.UUID{},
		cancellations: map[uuid.UUID]bool{},
	}
}

// AddSlot puts a slot into the state, as one that commands may change.
func (s *State) AddSlot(slot Slot) {
	slot.counted, slot.wasDue = slot.counters(), !slot.PromotionDueAt.IsZero()
	s.slots[slot.ID] = &slot
}

// AddBooking puts a booking into the state, unless it is there. Slots come first.
func (s *State) AddBooking(b Booking) {
	if s.bookings[b.ID] == nil {
		b.counted = b.counters()
		s.insert(&b)
	}
}

// AddHead puts a ready booking into the state and at the end of the loaded part of
// its slot's queue. Heads are added in the order of the queue, without gaps, and
// after their slots.
func (s *State) AddHead(b Booking) {
	s.AddBooking(b)
	slot := s.slots[b.SlotID]
	slot.ready = append(slot.ready, s.bookings[b.ID])
	slot.heads++
}

// AddDeleted notes that a user was deleted.
func (s *State) AddDeleted(userID uuid.UUID) { s.deleted[userID] = true }

// AddRole notes which role a user has.
func (s *State) AddRole(userID uuid.UUID, role string) { s.roles[userID] = role }

// checkActor refuses what somebody does who was deleted or, with lost, who has lost the
// role for it, since their request was authenticated.
func (s *State) checkActor(by Actor, lost error) error {
	if s.deleted[by.ID] {
		return fault.TokenInvalid.New("This user was deleted.")
	}
	if role, known := s.roles[by.ID]; known && !by.Role.isOpenTo(role) {
		return lost
	}
	return nil
}

// AddHeld notes how many seats a user holds, in all slots.
func (s *State) AddHeld(userID uuid.UUID, seats int) { s.held[userID] = seats }

// AddBlock notes that a booking blocks another one that waits in a slot.
func (s *State) AddBlock(bookingID, slotID uuid.UUID) {
	s.blocks[bookingID] = append(s.blocks[bookingID], slotID)
}

// AddWait notes that a user waits in a slot with free seats.
func (s *State) AddWait(userID uuid.UUID, w Waiting) { s.waits[userID] = append(s.waits[userID], w) }

// create puts a booking into the state that the current command made.
func (s *State) create(b *Booking) {
	s.created[b.ID] = true
	s.insert(b)
	if slot := s.slots[b.SlotID]; slot.Policy.MaxSeatsPerUser > 0 {
		s.addClaim(slot.EventID, b)
	}
}

func (s *State) insert(b *Booking) {
	s.bookings[b.ID] = b
	if b.Status.Live() {
		s.live[UserSlot{b.UserID, b.SlotID}] = b
	}
	if b.Status.TakesSeats() {
		s.seated[b.UserID] = append(s.seated[b.UserID], b)
	}
	slot := s.slots[b.SlotID]
	switch {
	case slot == nil: // Loaded only because of its times.
	case b.Status == Held || b.Status == Offered:
		slot.timed = append(slot.timed, b)
	case b.Blocked != NotBlocked:
		at, _ := slices.BinarySearchFunc(slot.blocked, b, byPosition)
		slot.blocked = slices.Insert(slot.blocked, at, b)
	}
}

// Apply carries out a command. A refusal is a *fault.Error. It panics when the
// command left a slot's counters or queue wrong (see verify); the state cannot be
// used afterwards.
func (s *State) Apply(c Command) (Result, error) {
	r, err := c.apply(s)
	r.At = s.Now
	s.verify()
	return r, err
}

// Slots returns the slots in the state as they are now, in the order of their ids.
func (s *State) Slots() []*Slot { return inOrder(s.slots) }

// Bookings returns the bookings in the state as they are now, in the order of their ids.
func (s *State) Bookings() []*Booking { return inOrder(s.bookings) }

// Entries returns the ledger entries that the commands made, in the order in which
// they made them.
func (s *State) Entries() []Entry { return s.entries }

// IsNew says whether a command made the booking.
func (s *State) IsNew(bookingID uuid.UUID) bool { return s.created[bookingID] }

// Promotions returns the Promote commands that must follow, at most one for each
// slot, in the order of the slots: where a promotion became due, and where a
// command requested one.
func (s *State) Promotions() []Promote {
	also := maps.Clone(s.promotions)
	for id, slot := range s.slots {
		if !slot.PromotionDueAt.IsZero() && !slot.wasDue {
			also[id] = append([]uuid.UUID{}, also[id]...)
		}
	}
	var list []Promote
	for _, id := range sortedKeys(also) {
		list = append(list, Promote{SlotID: id, Also: SortedIDs(also[id])})
	}
	return list
}

// CutShort returns the slots of whose queues a command needed more than was loaded, in
// order, unless they were loaded up to HeadsPage. The commands left what they could not
// tell to a later promotion; applied to more of these queues they decide better.
func (s *State) CutShort() []uuid.UUID {
	var cutShort []uuid.UUID
	for _, slot := range s.Slots() {
		if slot.isCutShort && slot.heads < HeadsPage {
			cutShort = append(cutShort, slot.ID)
		}
	}
	return cutShort
}

// Cancellations returns the slots that were cancelled and whose bookings must be
// cancelled next, in order.
func (s *State) Cancellations() []uuid.UUID { return sortedKeys(s.cancellations) }

// slot finds a slot that commands may change; without one it is fault.NotFound.
func (s *State) slot(id uuid.UUID) (*Slot, error) {
	if slot := s.slots[id]; slot != nil {
		return slot, nil
	}
	return nil, errNoSlot()
}

func errNoSlot() error { return fault.NotFound.New("There is no such slot.") }

// blocker is a booking of the user that takes seats at an overlapping time, or nil.
// except is a booking that does not count, because it is given back.
func (s *State) blocker(userID uuid.UUID, starts, ends time.Time, except uuid.UUID) *Booking {
	for _, b := range s.seated[userID] {
		if b.ID != except && b.overlaps(starts, ends) {
			return b
		}
	}
	return nil
}

// requestPromotion asks for a Promote of the slot after this batch. It will also
// lock the further slots.
func (s *State) requestPromotion(slotID uuid.UUID, also ...uuid.UUID) {
	s.promotions[slotID] = append(s.promotions[slotID], also...)
}
