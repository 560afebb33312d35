package event

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
)

// GetSlot returns a slot, to whoever may see its event; see Get. Otherwise it is
// fault.NotFound.
func (s *Service) GetSlot(ctx context.Context, caller access.Caller, slotID uuid.UUID) (Slot, error) {
	slot, err := s.slot(ctx, slotID)
	if err != nil {
		return Slot{}, err
	}
	if !canSee(caller, slot.OrganizerID, slot.EventStatus) {
		return Slot{}, errNoSlot()
	}
	return slot, nil
}
