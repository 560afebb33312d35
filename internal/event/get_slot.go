package event

import (
	"context"
	"eventbooking/internal/access"

	"github.com/google/uuid"
)

// GetSlot is a slot as it is now. Who sees the event sees its slots.
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
