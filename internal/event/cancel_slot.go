package event

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// CancelSlot cancels a slot, for who manages it; a job cancels its bookings.
// Cancelling twice changes nothing. Key and Render are taken from sub. Refusals:
// fault.ValidationFailed (no reason), fault.NotFound, fault.NotPermitted and, for a
// draft, fault.InvalidTransition.
func (s *Service) CancelSlot(ctx context.Context, caller access.Caller, slotID uuid.UUID, reason string, sub desk.Submission) (desk.Outcome, error) {
	if strings.TrimSpace(reason) == "" {
		return desk.Outcome{}, errBlank("/reason")
	}
	slot, err := s.managedSlot(ctx, caller, slotID)
	if err != nil {
		return desk.Outcome{}, err
	}
	if slot.EventStatus == seating.EventDraft {
		return desk.Outcome{}, errInvalidTransition(slot.EventStatus, seating.EventCancelled, "A slot of a draft cannot be cancelled. Delete it instead.")
	}
	cancelled := seating.SlotCancelled
	sub.Command = seating.EditSlot{SlotID: slotID, Status: &cancelled, By: access.ActorFor(caller, slot.OrganizerID, uuid.Nil, reason)}
	return s.desk.Do(ctx, sub)
}
