package booking

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/seating"
)

// Wish is what a caller wants of a slot.
type Wish struct {
	SlotID uuid.UUID
	Seats  int
	IfFull seating.IfFull
}

// Book asks for seats for the caller. The order brings the key and the answer.
func (s *Service) Book(ctx context.Context, caller account.Caller, wish Wish, order seating.Order) (seating.Outcome, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return seating.Outcome{}, fmt.Errorf("id of a booking: %w", err)
	}
	order.Command = seating.Book{
		BookingID: id, SlotID: wish.SlotID, UserID: caller.UserID, Seats: wish.Seats, IfFull: wish.IfFull,
		By:        seating.By{Actor: seating.ByAttendee, ID: caller.UserID},
		SeesDraft: caller.Role == account.Admin,
	}
	return s.desk.Do(ctx, order)
}
