package waitlist

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Promote runs a slot's promotion now, for who manages it. It does a page of the
// work; the desk sees to the rest. The submission brings the key and the answer.
func (s *Service) Promote(ctx context.Context, caller access.Caller, slotID uuid.UUID, sub desk.Submission) (desk.Outcome, error) {
	if err := access.CheckManagesSlot(ctx, s.pool, caller, slotID); err != nil {
		return desk.Outcome{}, err
	}
	sub.Command = seating.Promote{SlotID: slotID}
	return s.desk.Do(ctx, sub)
}
