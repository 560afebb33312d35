package seating

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Book asks for seats: it joins the queue and lets the slot promote. When nobody
// is ready in the queue and the seats fit, that is a straight confirmation.
type Book struct {
	BookingID uuid.UUID // of the booking to be made
	SlotID    uuid.UUID
	UserID    uuid.UUID
	Seats     int
	// SeatsMin accepts fewer seats, down to this many; 0: all or none.
	SeatsMin int
	IfFull   IfFull
	// Replaces is a booking of the user, of ReplacesSlotID, that is given back as
	// soon as this one has seats (keep and upgrade).
	Replaces, ReplacesSlotID uuid.UUID
	By                       By
	// SeesDraft: the caller may know of drafts that are not their own.
	SeesDraft bool
}

// IfFull is what becomes of a booking that finds no seats.
type IfFull string

// The choices.
const (
	Reject IfFull = "reject"
	Wait   IfFull = "waitlist"
)

func (c Book) needs() needs {
	n := needs{
		slots:  []uuid.UUID{c.SlotID},
		users:  []uuid.UUID{c.UserID},
		wishes: []wish{{c.UserID, c.SlotID}},
	}
	if c.Replaces != uuid.Nil {
		n.slots = append(n.slots, c.ReplacesSlotID)
		n.bookings = []uuid.UUID{c.Replaces}
	}
	return n
}

func (c Book) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	s.expireDue(slot)
	if err := c.admissible(s, slot); err != nil {
		return Result{}, err
	}
	if err := c.replaceable(s, slot); err != nil {
		return Result{}, err
	}
	promoted, _ := s.promote(slot)
	p, err := c.seek(s, slot)
	if err != nil {
		return Result{}, err
	}
	if p.served {
		s.admit(p.b, Confirmed, KindConfirmed, p.passed, c.By, Cause{})
		s.giveBack(p.b)
	} else {
		s.join(p.b, c.By)
		if s.blocker(c.UserID, slot.StartsAt, slot.EndsAt, c.Replaces) != nil {
			slot.look(s.Now) // Nobody who comes later must wait for somebody who cannot come.
		}
	}
	return Result{Slot: *slot, Booking: *p.b, Promoted: promoted}, nil
}

// place is what a newcomer finds: seats at once, past those who do not fit, or a
// queue to wait in.
type place struct {
	slot   *Slot
	b      *Booking
	passed []*Booking
	served bool
}

// seek looks for the newcomer's place, when the queue has had its turn, and
// refuses whoever has none.
func (c Book) seek(s *State, slot *Slot) (place, error) {
	p := place{slot: slot, b: c.booking(s, slot)}
	p.passed, p.served = slot.serves(p.b)
	return p, c.refusal(s, slot, p.served)
}

// booking is the newcomer.
func (c Book) booking(s *State, slot *Slot) *Booking {
	return &Booking{
		ID: c.BookingID, SlotID: slot.ID, UserID: c.UserID, Seats: c.Seats, SeatsMin: c.SeatsMin, Replaces: c.Replaces,
		StartsAt: slot.StartsAt, EndsAt: slot.EndsAt, CreatedAt: s.Now, UpdatedAt: s.Now,
	}
}

// replaceable checks the booking that is to be given back: one can only give
// what one has, and elsewhere.
func (c Book) replaceable(s *State, slot *Slot) error {
	if c.Replaces == uuid.Nil {
		return nil
	}
	if there := s.slots[c.ReplacesSlotID]; there != nil {
		s.expireDue(there)
	}
	old := s.bookings[c.Replaces]
	if old == nil || old.UserID != c.UserID || old.SlotID == slot.ID || !old.Status.TakesSeats() {
		return fault.Invalid(fault.Field{Pointer: "/replaces_booking_id", Code: "not_replaceable",
			Detail: "must be a booking of yours that has seats in another slot"})
	}
	return s.returnable(s.slots[old.SlotID], old, c.By)
}

// admissible checks everything that does not depend on free seats: the state of
// event and slot, then the time, then the caller's own bookings of the slot.
func (c Book) admissible(s *State, slot *Slot) error {
	switch {
	case slot.EventStatus == EventDraft && !c.SeesDraft && c.UserID != slot.OrganizerID:
		return fault.NotFound.New("There is no such slot.")
	case s.deleted[c.UserID]:
		return fault.TokenInvalid.New("This user was deleted.")
	}
	if err := slot.open(s.Now); err != nil {
		return err
	}
	if c.Seats > slot.Capacity {
		return at(slot, fault.SeatsExceedCapacity.Newf("The slot has %d seats altogether.", slot.Capacity).With("capacity", slot.Capacity))
	}
	if b := s.live[wish{c.UserID, slot.ID}]; b != nil {
		return at(slot, fault.AlreadyBooked.Newf("You have a %s booking of this slot.", b.Status).With("booking_id", b.ID))
	}
	return nil
}

// open checks the state of event and slot, then the time: from booking's opening
// until its closing or the slot's start.
func (s *Slot) open(now time.Time) error {
	opens, closes := s.Policy.BookingOpensAt, s.Policy.BookingClosesAt
	switch {
	case s.EventStatus != EventPublished:
		return at(s, fault.EventNotPublished.Newf("The event is %s; only published events take bookings.", s.EventStatus))
	case s.Status == SlotCancelled:
		return at(s, fault.SlotCancelled.New("The slot was cancelled."))
	case s.Status == SlotClosed:
		return at(s, fault.BookingClosed.New("The organizer has closed this slot for bookings."))
	case s.Started(now):
		return at(s, fault.SlotStarted.New("The slot has started."))
	case now.Before(opens):
		return at(s, fault.BookingNotOpen.Newf("Booking opens at %s.", opens.UTC().Format(time.RFC3339)).With("opens_at", opens.UTC()))
	case !closes.IsZero() && !now.Before(closes):
		return at(s, fault.BookingClosed.Newf("Booking closed at %s.", closes.UTC().Format(time.RFC3339)))
	}
	return nil
}

// refusal checks overlap, then full or waitlist. A busy newcomer who would wait
// may wait, and is blocked if still busy when the turn comes.
func (c Book) refusal(s *State, slot *Slot, served bool) error {
	if served || c.IfFull != Wait {
		if o := s.blocker(c.UserID, slot.StartsAt, slot.EndsAt, c.Replaces); o != nil {
			return at(slot, s.overlap(c.UserID, slot, c.Replaces))
		}
	}
	switch {
	case served:
		return nil
	case c.IfFull != Wait:
		return at(slot, slot.full(c.Seats))
	case slot.Policy.WaitlistMode == WaitlistOff:
		return at(slot, fault.WaitlistDisabled.New("The slot is full, and this event keeps no waitlist."))
	case slot.waitlistFull():
		return at(slot, fault.WaitlistFull.Newf("The slot is full, and %d bookings wait already.", slot.WaitlistLength))
	}
	return nil
}

func (s *Slot) waitlistFull() bool {
	limit := s.Policy.WaitlistLimit
	return limit != NoLimit && s.WaitlistLength >= limit
}

func (s *Slot) full(seats int) *fault.Error {
	f := fault.SlotFull.Newf("The slot has %d free seats; %d were asked for.", s.Free(), seats)
	if s.WaitlistReady > 0 && s.Free() >= seats {
		f = fault.SlotFull.New("The free seats of this slot are for those who wait already.")
	}
	return f.With("waitlist_open", s.Policy.WaitlistMode != WaitlistOff && !s.waitlistFull())
}

// overlap names the caller's own bookings at that time.
func (s *State) overlap(userID uuid.UUID, slot *Slot, except uuid.UUID) *fault.Error {
	ids := []uuid.UUID{}
	for _, b := range s.seated[userID] {
		if b.ID != except && b.overlaps(slot.StartsAt, slot.EndsAt) {
			ids = append(ids, b.ID)
		}
	}
	return fault.BookingOverlap.New("You have seats elsewhere at an overlapping time.").With("booking_ids", ids)
}

// at adds the version at which a refusal was decided.
func at(slot *Slot, f *fault.Error) *fault.Error { return f.With("slot_version", slot.Version) }
