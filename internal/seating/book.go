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
	By                       Actor
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

func (c Book) Needs() Needs {
	n := Needs{
		Slots:  []uuid.UUID{c.SlotID},
		Users:  []uuid.UUID{c.UserID},
		Wanted: []UserSlot{{c.UserID, c.SlotID}},
	}
	if c.Replaces != uuid.Nil {
		n.Slots = append(n.Slots, c.ReplacesSlotID)
		n.Bookings = []uuid.UUID{c.Replaces}
	}
	return n
}

func (c Book) apply(s *State) (Result, error) {
	slot, err := s.slot(c.SlotID)
	if err != nil {
		return Result{}, err
	}
	s.expireDue(slot)
	if err := c.checkAdmissible(s, slot); err != nil {
		return Result{}, err
	}
	if err := c.checkReplaceable(s, slot); err != nil {
		return Result{}, err
	}
	promoted, _ := s.promote(slot)
	p, err := c.decide(s, slot)
	if err != nil {
		return Result{}, err
	}
	if p.served {
		s.seatNewcomer(p.b, Confirmed, KindConfirmed, p.passed, c.By, Cause{})
		s.giveBack(p.b)
	} else {
		s.enqueueNewcomer(p.b, c.By)
		if s.blocker(c.UserID, slot.StartsAt, slot.EndsAt, c.Replaces) != nil {
			slot.markPromotionDue(s.Now) // Nobody who comes later must wait for somebody who cannot come.
		}
	}
	return Result{Slot: *slot, Booking: *p.b, Promoted: promoted}, nil
}

// decision is what becomes of a newcomer: seats at once, past those who do not
// fit, or waiting.
type decision struct {
	slot   *Slot
	b      *Booking
	passed []*Booking
	served bool
}

// decide says whether the newcomer gets seats, when the queue has had its turn,
// and refuses who neither gets any nor may wait.
func (c Book) decide(s *State, slot *Slot) (decision, error) {
	p := decision{slot: slot, b: c.booking(s, slot)}
	if p.passed, p.served = slot.canSeat(p.b); p.served {
		p.b.Seats = min(p.b.Seats, slot.Free())
	}
	return p, c.checkAvailable(s, slot, p.served)
}

// booking is the newcomer.
func (c Book) booking(s *State, slot *Slot) *Booking {
	return &Booking{
		ID: c.BookingID, SlotID: slot.ID, UserID: c.UserID, Seats: c.Seats, SeatsMin: c.SeatsMin, Replaces: c.Replaces,
		StartsAt: slot.StartsAt, EndsAt: slot.EndsAt, CreatedAt: s.Now, UpdatedAt: s.Now,
	}
}

// checkReplaceable checks the booking that is to be given back: one can only give
// what one has, and elsewhere.
func (c Book) checkReplaceable(s *State, slot *Slot) error {
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
	return s.checkReturnable(s.slots[old.SlotID], old, c.By)
}

// checkAdmissible checks everything that does not depend on free seats: the state of
// event and slot, then the time, then the caller's own bookings of the slot.
func (c Book) checkAdmissible(s *State, slot *Slot) error {
	switch {
	case slot.EventStatus == EventDraft && !c.SeesDraft && c.UserID != slot.OrganizerID:
		return errNoSlot()
	case s.deleted[c.UserID]:
		return fault.TokenInvalid.New("This user was deleted.")
	}
	if err := slot.checkOpen(s.Now); err != nil {
		return err
	}
	if c.Seats > slot.Capacity {
		return atVersion(slot, fault.SeatsExceedCapacity.Newf("The slot has %s in total.", fault.Count(slot.Capacity, "seat")).With(fault.Members{Capacity: new(slot.Capacity)}))
	}
	if b := s.live[UserSlot{c.UserID, slot.ID}]; b != nil {
		return atVersion(slot, fault.AlreadyBooked.Newf("You have a %s booking of this slot.", b.Status).With(fault.Members{BookingID: new(b.ID)}))
	}
	return nil
}

// checkOpen checks the state of event and slot, then the time: from booking's opening
// until its closing or the slot's start.
func (s *Slot) checkOpen(now time.Time) error {
	opens, closes := s.Policy.BookingOpensAt, s.Policy.BookingClosesAt
	switch {
	case s.EventStatus != EventPublished:
		return atVersion(s, fault.EventNotPublished.Newf("The event is %s; only published events take bookings.", s.EventStatus))
	case s.Status == SlotCancelled:
		return atVersion(s, fault.SlotCancelled.New("The slot was cancelled."))
	case s.Status == SlotClosed:
		return atVersion(s, fault.BookingClosed.New("The organizer has closed this slot for bookings."))
	case s.Started(now):
		return atVersion(s, fault.SlotStarted.New("The slot has started."))
	case now.Before(opens):
		return atVersion(s, fault.BookingNotOpen.Newf("Booking opens at %s.", opens.UTC().Format(time.RFC3339)).With(fault.Members{OpensAt: new(opens.UTC())}))
	case !closes.IsZero() && !now.Before(closes):
		return atVersion(s, fault.BookingClosed.Newf("Booking closed at %s.", closes.UTC().Format(time.RFC3339)))
	}
	return nil
}

// checkAvailable checks overlap, then full or waitlist. A busy newcomer who would wait
// may wait, and is blocked if still busy when the turn comes.
func (c Book) checkAvailable(s *State, slot *Slot, served bool) error {
	if served || c.IfFull != Wait {
		if o := s.blocker(c.UserID, slot.StartsAt, slot.EndsAt, c.Replaces); o != nil {
			return atVersion(slot, s.errOverlap(c.UserID, slot, c.Replaces))
		}
	}
	switch {
	case served:
		return nil
	case c.IfFull != Wait:
		return atVersion(slot, slot.errSlotFull(c.Seats))
	case slot.Policy.WaitlistMode == WaitlistOff:
		return atVersion(slot, fault.WaitlistDisabled.New("The slot is full, and this event has no waitlist."))
	case slot.waitlistFull():
		return atVersion(slot, fault.WaitlistFull.Newf("The slot is full, and so is its waitlist, with %s.", fault.Count(slot.WaitlistLength, "booking")))
	}
	return nil
}

func (s *Slot) waitlistFull() bool {
	limit := s.Policy.WaitlistLimit
	return limit != NoLimit && s.WaitlistLength >= limit
}

func (s *Slot) errSlotFull(seats int) *fault.Error {
	f := fault.SlotFull.Newf("The slot has %s free; %d requested.", fault.Count(s.Free(), "seat"), seats)
	if s.WaitlistReady > 0 && s.Free() >= seats {
		f = fault.SlotFull.New("The free seats of this slot go to those who are already waiting.")
	}
	return f.With(fault.Members{WaitlistOpen: new(s.Policy.WaitlistMode != WaitlistOff && !s.waitlistFull())})
}

// errOverlap names the caller's own bookings at that time.
func (s *State) errOverlap(userID uuid.UUID, slot *Slot, except uuid.UUID) *fault.Error {
	ids := []uuid.UUID{}
	for _, b := range s.seated[userID] {
		if b.ID != except && b.overlaps(slot.StartsAt, slot.EndsAt) {
			ids = append(ids, b.ID)
		}
	}
	return fault.BookingOverlap.New("You have a booking at an overlapping time.").With(fault.Members{BookingIDs: ids})
}

// atVersion adds the version at which a refusal was decided.
func atVersion(slot *Slot, f *fault.Error) *fault.Error {
	return f.With(fault.Members{SlotVersion: new(slot.Version)})
}
