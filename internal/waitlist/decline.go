package waitlist

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Decline cancels an offered booking, for its owner or who manages its event; its
// seats go to the next. Key and Render are taken from sub. Refusals: fault.NotFound
// and those of seating.Decline.
func (s *Service) Decline(ctx context.Context, caller access.Caller, bookingID uuid.UUID, sub desk.Submission) (desk.Outcome, error) {
	o, err := s.offer(ctx, caller, bookingID)
	if err != nil {
		return desk.Outcome{}, err
	}
	sub.Command = seating.Decline{SlotID: o.SlotID, BookingID: bookingID, UserID: o.UserID, By: o.actor(caller)}
	return s.desk.Do(ctx, sub)
}
