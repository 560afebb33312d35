package booking

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Confirm makes a hold a booking for good, for its owner or for who manages its
// event.
func (s *Service) Confirm(ctx context.Context, caller access.Caller, id uuid.UUID, sub desk.Submission) (desk.Outcome, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return desk.Outcome{}, err
	}
	sub.Command = seating.Confirm{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, From: seating.Held, By: b.actor(caller, ""),
	}
	return s.desk.Do(ctx, sub)
}
