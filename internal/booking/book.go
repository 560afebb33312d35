package booking

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Wish is what a caller wants of a slot.
type Wish struct {
	SlotID uuid.UUID
	Seats  int
	// SeatsMin is with how few seats it is content; 0: all or none.
	SeatsMin int
	IfFull   seating.IfFull
	// Replaces is a booking of the caller's that is given back for this one; nil: none.
	Replaces uuid.UUID
}

// Book asks for seats for the caller. The order brings the key and the answer.
func (s *Service) Book(ctx context.Context, caller account.Caller, wish Wish, order seating.Order) (seating.Outcome, error) {
	if err := checkLeast(wish.Seats, wish.SeatsMin); err != nil {
		return seating.Outcome{}, err
	}
	book, err := request(caller, wish.SlotID, wish.Seats)
	if err != nil {
		return seating.Outcome{}, err
	}
	book.SeatsMin, book.IfFull = wish.SeatsMin, wish.IfFull
	if wish.Replaces != uuid.Nil {
		old, err := s.replaceable(ctx, caller, wish.Replaces)
		if err != nil {
			return seating.Outcome{}, err
		}
		book.Replaces, book.ReplacesSlotID = old.ID, old.SlotID
	}
	order.Command = book
	return s.desk.Do(ctx, order)
}

// request is a new booking of the caller's.
func request(caller account.Caller, slotID uuid.UUID, seats int) (seating.Book, error) {
	id, err := newID()
	return seating.Book{
		BookingID: id, SlotID: slotID, UserID: caller.UserID, Seats: seats, IfFull: seating.Reject,
		By:        seating.By{Actor: seating.ByAttendee, ID: caller.UserID},
		SeesDraft: caller.Role == account.Admin,
	}, err
}

func newID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return id, fmt.Errorf("id of a booking: %w", err)
	}
	return id, nil
}

// checkLeast: nobody can be content only with more than they ask for.
func checkLeast(seats, least int) error {
	if least <= seats {
		return nil
	}
	return fault.Invalid(fault.Field{Pointer: "/seats_min", Code: "too_large",
		Detail: fmt.Sprintf("must not be above seats, which is %d", seats)})
}

// replaceable is a booking that the caller may give back for another: their own.
// Whether it has seats to give is the desk's to say.
func (s *Service) replaceable(ctx context.Context, caller account.Caller, id uuid.UUID) (Booking, error) {
	b, err := s.find(ctx, id)
	if errors.Is(err, fault.NotFound) || err == nil && b.UserID != caller.UserID {
		err = fault.Invalid(fault.Field{Pointer: "/replaces_booking_id", Code: "not_replaceable",
			Detail: "must be a booking of yours that has seats in another slot"})
	}
	return b, err
}
