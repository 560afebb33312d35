package event

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/seating"
)

// CancelSlot ends a slot for good, at the desk. Its bookings follow by a job.
// The order brings the key and the answer.
func (s *Service) CancelSlot(ctx context.Context, caller account.Caller, slotID uuid.UUID, reason string, order seating.Order) (seating.Outcome, error) {
	if strings.TrimSpace(reason) == "" {
		return seating.Outcome{}, blank("/reason")
	}
	slot, err := s.managedSlot(ctx, caller, slotID)
	if err != nil {
		return seating.Outcome{}, err
	}
	if slot.EventStatus == seating.EventDraft {
		return seating.Outcome{}, transition(slot.EventStatus, seating.EventCancelled, "Nobody has seen the draft's slot; delete it instead.")
	}
	cancelled := seating.SlotCancelled
	order.Command = seating.EditSlot{SlotID: slotID, Status: &cancelled, By: by(caller, reason)}
	return s.desk.Do(ctx, order)
}
