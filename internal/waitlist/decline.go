package waitlist

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Decline gives back the seats that a booking was offered: they go to the next.
// The submission brings the key and the answer.
func (s *Service) Decline(ctx context.Context, caller access.Caller, bookingID uuid.UUID, sub desk.Submission) (desk.Outcome, error) {
	o, err := s.offer(ctx, caller, bookingID)
	if err != nil {
		return desk.Outcome{}, err
	}
	sub.Command = seating.Decline{SlotID: o.SlotID, BookingID: bookingID, UserID: o.UserID, By: o.actor(caller)}
	return s.desk.Do(ctx, sub)
}
