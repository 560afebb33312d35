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
	IfFull    IfFull
	By        By
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
	return needs{
		slots:  []uuid.UUID{c.SlotID},
		users:  []uuid.UUID{c.UserID},
		wishes: []wish{{c.UserID, c.SlotID}},
	}
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
	promoted, _ := s.promote(slot)

	b := &Booking{
		ID: c.BookingID, SlotID: slot.ID, UserID: c.UserID, Seats: c.Seats,
		StartsAt: slot.StartsAt, EndsAt: slot.EndsAt, CreatedAt: s.Now, UpdatedAt: s.Now,
	}
	passes, served := slot.serves(b)
	if err := c.refusal(s, slot, served); err != nil {
		return Result{}, err
	}
	if served {
		s.confirm(b, passes, c.By)
	} else {
		s.join(b, c.By)
	}
	return Result{Slot: *slot, Booking: *b, Promoted: promoted}, nil
}

// admissible checks everything that does not depend on free seats: the state of
// event and slot, then the time, then the caller's own bookings of the slot.
func (c Book) admissible(s *State, slot *Slot) error {
	switch {
	case slot.EventStatus == EventDraft && !c.SeesDraft && c.UserID != slot.OrganizerID:
		return fault.NotFound.New("There is no such slot.")
	case s.deleted[c.UserID]:
		return fault.TokenInvalid.New("This user was deleted.")
	case slot.EventStatus != EventPublished:
		return at(slot, fault.EventNotPublished.Newf("The event is %s; only published events take bookings.", slot.EventStatus))
	case slot.Status == SlotCancelled:
		return at(slot, fault.SlotCancelled.New("The slot was cancelled."))
	case slot.Status == SlotClosed:
		return at(slot, fault.BookingClosed.New("The organizer has closed this slot for bookings."))
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

// open checks the time: from booking's opening until its closing or the slot's start.
func (s *Slot) open(now time.Time) error {
	opens, closes := s.Policy.BookingOpensAt, s.Policy.BookingClosesAt
	switch {
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
		if o := s.blocker(c.UserID, slot.StartsAt, slot.EndsAt, uuid.Nil); o != nil {
			return at(slot, s.overlap(c.UserID, slot))
		}
	}
	waitlistOpen := slot.Policy.WaitlistMode != WaitlistOff
	limit := slot.Policy.WaitlistLimit
	waitlistFull := limit != NoLimit && slot.WaitlistLength >= limit
	switch {
	case served:
		return nil
	case c.IfFull != Wait:
		return at(slot, slot.full(c.Seats).With("waitlist_open", waitlistOpen && !waitlistFull))
	case !waitlistOpen:
		return at(slot, fault.WaitlistDisabled.New("The slot is full, and this event keeps no waitlist."))
	case waitlistFull:
		return at(slot, fault.WaitlistFull.Newf("The slot is full, and %d bookings wait already.", slot.WaitlistLength))
	}
	return nil
}

func (s *Slot) full(seats int) *fault.Error {
	if s.WaitlistReady > 0 && s.Free() >= seats {
		return fault.SlotFull.New("The free seats of this slot are for those who wait already.")
	}
	return fault.SlotFull.Newf("The slot has %d free seats; %d were asked for.", s.Free(), seats)
}

// overlap names the caller's own bookings at that time.
func (s *State) overlap(userID uuid.UUID, slot *Slot) *fault.Error {
	ids := []uuid.UUID{}
	for _, b := range s.seated[userID] {
		if b.overlaps(slot.StartsAt, slot.EndsAt) {
			ids = append(ids, b.ID)
		}
	}
	return fault.BookingOverlap.New("You have seats elsewhere at an overlapping time.").With("booking_ids", ids)
}

// at adds the version at which a refusal was decided.
func at(slot *Slot, f *fault.Error) *fault.Error { return f.With("slot_version", slot.Version) }

// confirm gives a newcomer seats at once, past those who did not fit.
func (s *State) confirm(b *Booking, passes []*Booking, by By) {
	slot := s.slots[b.SlotID]
	b.Status = Confirmed
	slot.SeatsTaken += b.Seats
	s.record(slot, b, KindConfirmed, by, Cause{})
	s.add(b)
	s.noteSeats(b)
	s.pass(passes, Cause{slot.ID, slot.Version})
}
