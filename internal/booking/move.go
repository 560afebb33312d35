package booking

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Move exchanges a booking for one in another slot of the same event, for its owner
// or who manages its event. The result has the new booking. Key and Render are taken
// from sub. Refusals: fault.NotFound and those of seating.Move.
func (s *Service) Move(ctx context.Context, caller access.Caller, id, toSlotID uuid.UUID, sub desk.Submission) (desk.Outcome, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return desk.Outcome{}, err
	}
	next, err := newID()
	if err != nil {
		return desk.Outcome{}, err
	}
	sub.Command = seating.Move{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID,
		ToSlotID: toSlotID, NewID: next, By: b.actor(caller, ""),
	}
	return s.desk.Do(ctx, sub)
}
