package seating

import (
	"github.com/google/uuid"

	"eventbooking/internal/fault"
)

// Confirm makes a hold a booking for good, or takes an offer. Doing it twice is
// doing it once.
type Confirm struct {
	SlotID, BookingID, UserID uuid.UUID
	// From is what is confirmed: Held or Offered.
	From Status
	By   Actor
}

func (c Confirm) Needs() Needs { return needsOfBooking(c.SlotID, c.BookingID, c.UserID) }

func (c Confirm) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID)
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
		return Result{}, atVersion(slot, errLapsed(b, c.From, Confirmed))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// Decline gives an offer back: its seats pass on.
type Decline struct {
	SlotID, BookingID, UserID uuid.UUID
	By                        Actor
}

func (c Decline) Needs() Needs { return needsOfBooking(c.SlotID, c.BookingID, c.UserID) }

func (c Decline) apply(s *State) (Result, error) {
	slot, b, err := s.findBooking(c.SlotID, c.BookingID)
	if err != nil {
		return Result{}, err
	}
	switch b.Status {
	case Cancelled:
	case Offered:
		s.transition(b, Cancelled, KindDeclined, c.By, Cause{slot.ID, b.Version})
	default:
		return Result{}, atVersion(slot, errLapsed(b, Offered, Cancelled))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// errLapsed says why a hold or an offer is none any more.
func errLapsed(b *Booking, from, to Status) *fault.Error {
	switch {
	case b.Status != Expired:
		return errInvalidTransition(b, to)
	case from == Held:
		return fault.HoldExpired.New("The hold expired before it was confirmed.")
	default:
		return fault.OfferExpired.New("The offer expired before it was answered.")
	}
}

// needsOfBooking are the needs of a command about one booking that may free seats.
func needsOfBooking(slotID, bookingID, userID uuid.UUID) Needs {
	return Needs{Slots: []uuid.UUID{slotID}, Users: []uuid.UUID{userID}, Bookings: []uuid.UUID{bookingID}, Frees: true}
}

// findBooking finds the booking that a command is about, after what is due has expired.
func (s *State) findBooking(slotID, bookingID uuid.UUID) (*Slot, *Booking, error) {
	slot, err := s.slot(slotID)
	if err != nil {
		return nil, nil, err
	}
	s.expireDue(slot)
	b := s.bookings[bookingID]
	if b == nil || b.SlotID != slot.ID {
		return nil, nil, fault.NotFound.New("There is no such booking.")
	}
	return slot, b, nil
}
