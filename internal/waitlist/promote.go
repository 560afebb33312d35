package waitlist

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Promote promotes a page of a slot's waitlist now, for who manages the slot; jobs do
// the rest. Key and Render are taken from sub. Refusals: fault.NotFound and
// fault.NotPermitted.
func (s *Service) Promote(ctx context.Context, caller access.Caller, slotID uuid.UUID, sub desk.Submission) (desk.Outcome, error) {
	if err := access.CheckManagesSlot(ctx, s.pool, caller, slotID); err != nil {
		return desk.Outcome{}, err
	}
	sub.Command = seating.Promote{SlotID: slotID}
	return s.desk.Do(ctx, sub)
}
