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

// Request is what a caller asks for in a slot.
type Request struct {
	SlotID uuid.UUID
	Seats  int
	// SeatsMin is how few seats are accepted; 0: all or none.
	SeatsMin int
	IfFull   seating.IfFull
	// Replaces is a booking of the caller's that is given back for this one; nil: none.
	Replaces uuid.UUID
}

// Book asks for seats for the caller. The submission brings the key and the answer.
func (s *Service) Book(ctx context.Context, caller access.Caller, r Request, sub desk.Submission) (desk.Outcome, error) {
	if err := checkSeatsMin(r.Seats, r.SeatsMin); err != nil {
		return desk.Outcome{}, err
	}
	book, err := command(caller, r.SlotID, r.Seats)
	if err != nil {
		return desk.Outcome{}, err
	}
	book.SeatsMin, book.IfFull = r.SeatsMin, r.IfFull
	if r.Replaces != uuid.Nil {
		old, err := s.findReplaceable(ctx, caller, r.Replaces)
		if err != nil {
			return desk.Outcome{}, err
		}
		book.Replaces, book.ReplacesSlotID = old.ID, old.SlotID
	}
	sub.Command = book
	return s.desk.Do(ctx, sub)
}

// command asks for a new booking of the caller's.
func command(caller access.Caller, slotID uuid.UUID, seats int) (seating.Book, error) {
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

// checkSeatsMin: nobody can accept only more than they ask for.
func checkSeatsMin(seats, least int) error {
	if least <= seats {
		return nil
	}
	return fault.Invalid(fault.Field{Pointer: "/seats_min", Code: "too_large",
		Detail: fmt.Sprintf("must not be above seats, which is %d", seats)})
}

// findReplaceable is a booking that the caller may give back for another: their own.
// Whether it has seats to give is the desk's to say.
func (s *Service) findReplaceable(ctx context.Context, caller access.Caller, id uuid.UUID) (Booking, error) {
	b, err := s.find(ctx, id)
	if errors.Is(err, fault.NotFound) || err == nil && b.UserID != caller.UserID {
		err = fault.Invalid(fault.Field{Pointer: "/replaces_booking_id", Code: "not_replaceable",
			Detail: "must be a booking of yours that has seats in another slot"})
	}
	return b, err
}
