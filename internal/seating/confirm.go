package seating

import (
	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Confirm confirms a held booking, or accepts an offered one. Repeating it changes
// nothing. Refusals: fault.NotFound, fault.SlotCancelled, fault.HoldExpired,
// fault.OfferExpired, fault.InvalidTransition.
type Confirm struct {
	SlotID, BookingID, UserID uuid.UUID
	// From is the status that the booking must have: Held or Offered.
	From Status
	By   Actor
}

func (c Confirm) Needs() Needs { return needsOfBooking(c.SlotID, c.BookingID, c.UserID, c.By) }

func (c Confirm) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID, c.By)
	if err != nil {
		return Result{}, err
	}
	switch {
	case b.Status == Confirmed:
	case slot.isCancelled():
		return Result{}, atVersion(slot, fault.SlotCancelled.New("The slot was cancelled."))
	case b.Status == c.From:
		kind := map[Status]Kind{Held: KindConfirmed, Offered: KindAccepted}[c.From]
		s.transition(b, Confirmed, kind, c.By, Cause{slot.ID, b.Version})
	default:
		return Result{}, atVersion(slot, errNotPending(b, c.From, Confirmed))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// Decline ends an offered booking; its seats go to the next in the queue. Repeating
// it changes nothing. Refusals: fault.NotFound, fault.OfferExpired,
// fault.InvalidTransition.
type Decline struct {
	SlotID, BookingID, UserID uuid.UUID
	By                        Actor
}

func (c Decline) Needs() Needs { return needsOfBooking(c.SlotID, c.BookingID, c.UserID, c.By) }

func (c Decline) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID, c.By)
	if err != nil {
		return Result{}, err
	}
	switch b.Status {
	case Cancelled:
	case Offered:
		s.transition(b, Cancelled, KindDeclined, c.By, Cause{slot.ID, b.Version})
	default:
		return Result{}, atVersion(slot, errNotPending(b, Offered, Cancelled))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// errNotPending refuses to answer what is no hold or offer any more.
func errNotPending(b *Booking, from, to Status) *fault.Error {
	switch {
	case b.Status != Expired:
		return errInvalidTransition(b, to)
	case from == Held:
		return fault.HoldExpired.New("The hold expired before it was confirmed.")
	default:
		return fault.OfferExpired.New("The offer expired before it was answered.")
	}
}

// needsOfBooking are the needs of a command about one booking that may give seats back.
func needsOfBooking(slotID, bookingID, userID uuid.UUID, by Actor) Needs {
	users := []uuid.UUID{userID}
	if by.ID != userID {
		users = append(users, by.user()...)
	}
	return Needs{Slots: []uuid.UUID{slotID}, Users: users, Bookings: []uuid.UUID{bookingID}, Frees: true}
}

// findBooking finds the booking that a command is about, after expiring what is due. For
// who has lost the role in which they could see it, there is none.
func (s *State) findBooking(slotID, bookingID uuid.UUID, by Actor) (*Slot, *Booking, error) {
	slot, err := s.slot(slotID)
	if err != nil {
		return nil, nil, err
	}
	s.expireDue(slot)
	b, missing := s.bookings[bookingID], fault.NotFound.New("There is no such booking.")
	if b == nil || b.SlotID != slot.ID {
		return nil, nil, missing
	}
	return slot, b, s.checkActor(by, missing)
}
