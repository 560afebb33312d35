package seating

import (
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Book asks for seats. First the queue is served, so nobody overtakes it; then the
// newcomer is confirmed if the free seats suffice, and otherwise waits or is
// refused, as IfFull says.
//
// Refusals, in this order: fault.NotFound, fault.TokenInvalid,
// fault.EventNotPublished, fault.SlotCancelled, fault.BookingClosed,
// fault.SlotStarted, fault.BookingNotOpen, fault.Contention,
// fault.SeatsExceedCapacity, fault.AlreadyBooked, fault.QuotaExceeded,
// fault.ValidationFailed and those of
// Cancel (because of Replaces), fault.BookingSeatLimit, fault.UserSeatLimit,
// fault.BookingOverlap, fault.SlotFull, fault.WaitlistDisabled, fault.WaitlistFull.
type Book struct {
	BookingID uuid.UUID // of the new booking
	SlotID    uuid.UUID
	UserID    uuid.UUID
	Seats     int
	// SeatsMin is the fewest seats that are accepted; 0: all or none.
	SeatsMin int
	IfFull   IfFull
	// Replaces is a booking of the same user, in the slot ReplacesSlotID, that is
	// given back as soon as this one has seats (keep and upgrade).
	Replaces, ReplacesSlotID uuid.UUID
	By                       Actor
	// SeesDraft says that the caller may know of other organizers' drafts.
	SeesDraft bool
}

// IfFull says what becomes of a booking that finds no seats.
type IfFull string

// Reject refuses it with fault.SlotFull; Wait puts it on the waitlist.
const (
	Reject IfFull = "reject"
	Wait   IfFull = "waitlist"
)

func (c Book) Needs() Needs {
	n := Needs{
		Slots:  []uuid.UUID{c.SlotID},
		Users:  []uuid.UUID{c.UserID},
		Wanted: []UserSlot{{c.UserID, c.SlotID}},
		Serves: []uuid.UUID{c.SlotID},
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
	if slot.Started(s.Now) {
		c.IfFull = Reject // Nobody is promoted any more.
	}
	promoted, _ := s.promote(slot)
	d, err := c.decide(s, slot)
	if err != nil {
		return Result{}, err
	}
	if d.served {
		s.seatNewcomer(d.b, Confirmed, KindConfirmed, d.passed, c.By, Cause{})
		s.giveBack(d.b)
	} else {
		s.enqueueNewcomer(d.b, c.By)
		if s.blocker(c.UserID, slot.StartsAt, slot.EndsAt, c.Replaces) != nil {
			// Nobody behind may wait for somebody who is busy: the promotion blocks it.
			slot.markPromotionDue(s.Now)
		}
	}
	return Result{Slot: *slot, Booking: *d.b, Promoted: promoted}, nil
}

// decision is what becomes of a newcomer: seats at once, passing those who are too
// large for the free seats, or a position in the queue.
type decision struct {
	slot   *Slot
	b      *Booking
	passed []*Booking
	served bool
}

// decide says whether the newcomer gets seats, once the queue has been served. It
// refuses a newcomer who wants more seats than one may have, and one who neither gets
// seats nor may wait. with are the bookings of the same request that were decided on.
func (c Book) decide(s *State, slot *Slot, with ...*Booking) (decision, error) {
	d := c.weigh(s, slot)
	if err := s.checkLimits(slot, c.asked(s, d), with...); err != nil {
		return d, err
	}
	return d, c.checkAvailable(s, slot, d.served)
}

// asked is the booking by which the limits are measured: with all seats that are asked
// for, in place of the one that is given back at once.
func (c Book) asked(s *State, d decision) Booking {
	b := *d.b
	b.Seats, b.Status = c.Seats, Confirmed
	if !d.served && c.IfFull == Wait {
		b.Status = Waitlisted
	} else if old := s.bookings[c.Replaces]; old != nil {
		b.ID, b.Replaces = old.ID, uuid.Nil
	}
	return b
}

// weigh says whether the newcomer would get seats, once the queue has been served.
func (c Book) weigh(s *State, slot *Slot) decision {
	d := decision{slot: slot, b: c.newcomer(s, slot)}
	if d.passed, d.served = slot.canSeat(d.b); d.served {
		d.b.Seats = min(d.b.Seats, slot.Free())
	} else if slot.fits(d.b) && slot.mayPassUnloaded() {
		slot.isCutShort = true
	}
	return d
}

// newcomer is the booking that the command makes.
func (c Book) newcomer(s *State, slot *Slot) *Booking {
	return &Booking{
		ID: c.BookingID, SlotID: slot.ID, UserID: c.UserID, Seats: c.Seats, SeatsMin: c.SeatsMin, Replaces: c.Replaces,
		StartsAt: slot.StartsAt, EndsAt: slot.EndsAt, CreatedAt: s.Now, UpdatedAt: s.Now,
		CancellationCloses: slot.Policy.CancellationCloses,
	}
}

// checkReplaceable checks the booking that is to be given back: it must be the
// user's, have seats, and be in another slot.
func (c Book) checkReplaceable(s *State, slot *Slot) error {
	if c.Replaces == uuid.Nil {
		return nil
	}
	if oldSlot := s.slots[c.ReplacesSlotID]; oldSlot != nil {
		s.expireDue(oldSlot)
	}
	old := s.bookings[c.Replaces]
	if old == nil || old.UserID != c.UserID || old.SlotID == slot.ID || !old.Status.TakesSeats() {
		return ErrNotReplaceable()
	}
	// Whoever asks, it is given back by the rules for its owner, as by a promotion.
	return s.checkReturnable(s.slots[old.SlotID], old, Actor{Role: ActorAttendee})
}

// ErrNotReplaceable refuses a booking that cannot be given back for another one.
func ErrNotReplaceable() error {
	return fault.Invalid(fault.Field{Pointer: "/replaces_booking_id", Code: "not_replaceable",
		Detail: "must be one of your bookings with seats in another slot"})
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
		return atVersion(slot, slot.errSeatsExceedCapacity())
	}
	if b := s.live[UserSlot{c.UserID, slot.ID}]; b != nil {
		return atVersion(slot, c.errAlreadyBooked(b))
	}
	return s.checkChanges(slot, UserSlot{c.UserID, slot.ID}, c.By)
}

// checkOpen checks the state of event and slot, then whether booking is open now.
func (s *Slot) checkOpen(now time.Time) error {
	opens, closes := s.Policy.BookingOpensAt, s.bookingClosesAt()
	switch {
	case s.EventStatus != EventPublished:
		return atVersion(s, fault.EventNotPublished.Newf("The event is %s; only published events take bookings.", s.EventStatus))
	case s.Status == SlotCancelled:
		return atVersion(s, fault.SlotCancelled.New("The slot was cancelled."))
	case s.Status == SlotClosed:
		return atVersion(s, fault.BookingClosed.New("The organizer has closed this slot for bookings."))
	case s.Started(now) && !s.Policy.WalkIns:
		return atVersion(s, fault.SlotStarted.New("The slot has started."))
	case now.Before(opens):
		return atVersion(s, fault.BookingNotOpen.Newf("Booking opens at %s.", opens.UTC().Format(time.RFC3339)).With(fault.Members{OpensAt: new(opens.UTC())}))
	case !closes.IsZero() && !now.Before(closes):
		return atVersion(s, fault.BookingClosed.Newf("Booking closed at %s.", closes.UTC().Format(time.RFC3339)))
	case s.Started(now) && s.WaitlistReady > 0:
		// A command expires one page of the queue. The free seats are not for those who
		// are left in it, but by the ledger a walk-in would overtake them.
		return fault.Contention.New("The slot has just started, and its waitlist is still being ended.").After(time.Second)
	}
	return nil
}

// bookingClosesAt is the time from which the slot takes no bookings; zero: its start.
func (s *Slot) bookingClosesAt() time.Time {
	closes := s.Policy.BookingClosesAt
	if s.Policy.WalkIns && (closes.IsZero() || s.EndsAt.Before(closes)) {
		return s.EndsAt
	}
	return closes
}

// checkAvailable checks the overlap with other bookings, then seats and waitlist.
// A busy newcomer may wait; a promotion blocks the booking while that lasts.
func (c Book) checkAvailable(s *State, slot *Slot, served bool) error {
	if served || c.IfFull != Wait {
		if o := s.blocker(c.UserID, slot.StartsAt, slot.EndsAt, c.Replaces); o != nil {
			return atVersion(slot, c.errOverlap(s, slot))
		}
	}
	switch {
	case served:
		return nil
	case c.IfFull != Wait:
		return atVersion(slot, slot.errSlotFull(c.Seats, s.Now))
	case slot.Policy.WaitlistMode == WaitlistOff:
		return atVersion(slot, fault.WaitlistDisabled.New("The slot is full, and this event has no waitlist."))
	case slot.isWaitlistFull():
		return atVersion(slot, fault.WaitlistFull.Newf("The slot is full, and so is its waitlist (%s).", fault.Count(slot.WaitlistLength, "booking")))
	}
	return nil
}

func (s *Slot) isWaitlistFull() bool {
	limit := s.Policy.WaitlistLimit
	return limit != NoLimit && s.WaitlistLength >= limit
}

func (s *Slot) errSeatsExceedCapacity() *fault.Error {
	return fault.SeatsExceedCapacity.Newf("The slot has %s in total.", fault.Count(s.Capacity, "seat")).With(fault.Members{Capacity: new(s.Capacity)})
}

func (s *Slot) errSlotFull(seats int, now time.Time) *fault.Error {
	f := fault.SlotFull.Newf("The slot has %s free; %d requested.", fault.Count(s.Free(), "seat"), seats)
	if s.WaitlistReady > 0 && s.Free() >= seats {
		f = fault.SlotFull.New("The free seats of this slot are for bookings that already wait.")
	}
	return f.With(fault.Members{WaitlistOpen: new(s.Policy.WaitlistMode != WaitlistOff && !s.isWaitlistFull() && !s.Started(now))})
}

func (c Book) errAlreadyBooked(b *Booking) *fault.Error {
	who := "You already have"
	if c.By.ID != c.UserID {
		who = "The attendee already has"
	}
	return fault.AlreadyBooked.Newf("%s a %s booking of this slot.", who, b.Status).With(fault.Members{BookingID: new(b.ID)})
}

// errOverlap refuses a slot at the time of other bookings of the user. It names them to
// the user only: they may be at other organizers' events.
func (c Book) errOverlap(s *State, slot *Slot) *fault.Error {
	ids := []uuid.UUID{}
	if c.By.ID != c.UserID {
		return fault.BookingOverlap.New("The attendee has a booking at an overlapping time.").With(fault.Members{BookingIDs: ids})
	}
	for _, b := range s.seated[c.UserID] {
		if b.ID != c.Replaces && b.overlaps(slot.StartsAt, slot.EndsAt) {
			ids = append(ids, b.ID)
		}
	}
	return fault.BookingOverlap.New("You have a booking at an overlapping time.").With(fault.Members{BookingIDs: ids})
}

// atVersion adds to a refusal the slot's version at which it was decided.
func atVersion(slot *Slot, f *fault.Error) *fault.Error {
	return f.With(fault.Members{SlotVersion: new(slot.Version)})
}
