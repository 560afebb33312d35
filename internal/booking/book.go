package booking

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Request is a request for seats of a slot.
type Request struct {
	SlotID uuid.UUID
	Seats  int
	// SeatsMin is the fewest seats that are accepted; 0: all or none.
	SeatsMin int
	IfFull   seating.IfFull
	// Replaces is the caller's booking that is given back for this one, if any.
	Replaces *uuid.UUID
}

// Book books seats for the caller, or puts the booking on the waitlist. Key and
// Render are taken from sub. Refusals: fault.ValidationFailed and those of
// seating.Book.
func (s *Service) Book(ctx context.Context, caller access.Caller, r Request, sub desk.Submission) (desk.Outcome, error) {
	if err := checkSeatsMin(r.Seats, r.SeatsMin); err != nil {
		return desk.Outcome{}, err
	}
	book, err := newBook(caller, r.SlotID, r.Seats)
	if err != nil {
		return desk.Outcome{}, err
	}
	book.SeatsMin, book.IfFull = r.SeatsMin, r.IfFull
	if r.Replaces != nil {
		old, err := s.findReplaceable(ctx, caller, *r.Replaces)
		if err != nil {
			return desk.Outcome{}, err
		}
		book.Replaces, book.ReplacesSlotID = old.ID, old.SlotID
	}
	sub.Command = book
	return s.desk.Do(ctx, sub)
}

// newBook is the command for a new booking of the caller.
func newBook(caller access.Caller, slotID uuid.UUID, seats int) (seating.Book, error) {
	id, err := newID()
	return seating.Book{
		BookingID: id, SlotID: slotID, UserID: caller.UserID, Seats: seats, IfFull: seating.Reject,
		By:        seating.Actor{Role: seating.ActorAttendee, ID: caller.UserID},
		SeesDraft: caller.Role == access.Admin,
	}, err
}

func newID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return id, fmt.Errorf("id of a booking: %w", err)
	}
	return id, nil
}

// checkSeatsMin refuses a minimum of seats above the seats that are requested.
func checkSeatsMin(seats, seatsMin int) error {
	if seatsMin <= seats {
		return nil
	}
	return fault.Invalid(fault.Field{Pointer: "/seats_min", Code: "too_large",
		Detail: fmt.Sprintf("must not be more than seats (%d)", seats)})
}

// findReplaceable reads a booking of the caller that they want to give back for
// another. The command checks whether it has seats.
func (s *Service) findReplaceable(ctx context.Context, caller access.Caller, id uuid.UUID) (Booking, error) {
	b, err := s.find(ctx, id)
	if errors.Is(err, fault.NotFound) || err == nil && b.UserID != caller.UserID {
		err = seating.ErrNotReplaceable()
	}
	return b, err
}
