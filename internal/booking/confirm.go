package booking

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/seating"
)

// Confirm makes a hold a booking for good, for its owner or for who manages its
// event.
func (s *Service) Confirm(ctx context.Context, caller account.Caller, id uuid.UUID, order seating.Order) (seating.Outcome, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return seating.Outcome{}, err
	}
	order.Command = seating.Confirm{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: seating.Held, By: b.by(caller, ""),
	}
	return s.desk.Do(ctx, order)
}
