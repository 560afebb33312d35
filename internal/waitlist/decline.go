package waitlist

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/seating"
)

// Decline gives back the seats that a booking was offered: they go to the next.
// The order brings the key and the answer.
func (s *Service) Decline(ctx context.Context, caller account.Caller, bookingID uuid.UUID, order seating.Order) (seating.Outcome, error) {
	o, err := s.offer(ctx, caller, bookingID)
	if err != nil {
		return seating.Outcome{}, err
	}
	order.Command = seating.Decline{SlotID: o.SlotID, BookingID: bookingID, UserID: o.UserID, By: o.by(caller)}
	return s.desk.Do(ctx, order)
}
