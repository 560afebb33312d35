package booking

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Cancel cancels a booking, for its owner or who manages its event. The reason is
// required for somebody else's booking. Key and Render are taken from sub. Refusals:
// fault.NotFound, fault.ValidationFailed and those of seating.Cancel.
func (s *Service) Cancel(ctx context.Context, caller access.Caller, id uuid.UUID, reason string, sub desk.Submission) (desk.Outcome, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return desk.Outcome{}, err
	}
	reason = strings.TrimSpace(reason)
	if reason == "" && caller.UserID != b.UserID {
		return desk.Outcome{}, fault.Invalid(fault.Field{
			Pointer: "/reason", Code: "required", Detail: "must tell the attendee why you cancel their booking"})
	}
	sub.Command = seating.Cancel{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID,
		By: b.actor(caller, reason),
	}
	return s.desk.Do(ctx, sub)
}
