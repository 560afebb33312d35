package booking

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Confirm confirms a held booking, for its owner or who manages its event. Key and
// Render are taken from sub. Refusals: fault.NotFound and those of seating.Confirm.
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
