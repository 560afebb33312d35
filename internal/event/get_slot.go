package event

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/account"
)

// GetSlot is a slot as it is now. Who sees the event sees its slots.
func (s *Service) GetSlot(ctx context.Context, caller account.Caller, slotID uuid.UUID) (Slot, error) {
	slot, err := s.slot(ctx, slotID)
	if err != nil {
		return Slot{}, err
	}
	if !sees(caller, slot.OrganizerID, slot.EventStatus) {
		return Slot{}, noSlot()
	}
	return slot, nil
}
