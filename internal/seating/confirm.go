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
	By   By
}

func (c Confirm) needs() needs { return ofBooking(c.SlotID, c.BookingID, c.UserID) }

func (c Confirm) apply(s *State) (Result, error) {
	slot, b, err := s.named(c.SlotID, c.BookingID)
	if err != nil {
		return Result{}, err
	}
	switch {
	case b.Status == Confirmed:
	case slot.gone():
		return Result{}, at(slot, fault.SlotCancelled.New("The slot was cancelled."))
	case b.Status == c.From:
		kind := map[Status]Kind{Held: KindConfirmed, Offered: KindAccepted}[c.From]
		s.turn(b, Confirmed, kind, c.By, Cause{slot.ID, b.Version})
	default:
		return Result{}, at(slot, lapsed(b, c.From, Confirmed))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// Decline gives an offer back: its seats pass on.
type Decline struct {
	SlotID, BookingID, UserID uuid.UUID
	By                        By
}

func (c Decline) needs() needs { return ofBooking(c.SlotID, c.BookingID, c.UserID) }

func (c Decline) apply(s *State) (Result, error) {
	slot, b, err := s.named(c.SlotID, c.BookingID)
	if err != nil {
		return Result{}, err
	}
	switch b.Status {
	case Cancelled:
	case Offered:
		s.turn(b, Cancelled, KindDeclined, c.By, Cause{slot.ID, b.Version})
	default:
		return Result{}, at(slot, lapsed(b, Offered, Cancelled))
	}
	return Result{Slot: *slot, Booking: *b}, nil
}

// lapsed says why a hold or an offer is none any more.
func lapsed(b *Booking, from, to Status) *fault.Error {
	switch {
	case b.Status != Expired:
		return transition(b, to)
	case from == Held:
		return fault.HoldExpired.New("The hold ran out, and its seats went to others.")
	default:
		return fault.OfferExpired.New("The offer ran out, and its seats went to others.")
	}
}

// ofBooking are the needs of a command about one booking that may free seats.
func ofBooking(slotID, bookingID, userID uuid.UUID) needs {
	return needs{slots: []uuid.UUID{slotID}, users: []uuid.UUID{userID}, bookings: []uuid.UUID{bookingID}, frees: true}
}

// named finds the booking that a command is about, after what is due has expired.
func (s *State) named(slotID, bookingID uuid.UUID) (*Slot, *Booking, error) {
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
