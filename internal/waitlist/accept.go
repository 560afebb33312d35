package waitlist

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Accept confirms an offered booking, for its owner or who manages its event. Key
// and Render are taken from sub. Refusals: fault.NotFound and those of
// seating.Confirm.
func (s *Service) Accept(ctx context.Context, caller access.Caller, bookingID uuid.UUID, sub desk.Submission) (desk.Outcome, error) {
	o, err := s.offer(ctx, caller, bookingID)
	if err != nil {
		return desk.Outcome{}, err
	}
	sub.Command = seating.Confirm{
		SlotID: o.SlotID, BookingID: bookingID, UserID: o.UserID, From: seating.Offered, By: o.actor(caller)}
	return s.desk.Do(ctx, sub)
}
