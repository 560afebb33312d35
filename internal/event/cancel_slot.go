package event

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// CancelSlot ends a slot for good, at the desk. Its bookings follow by a job.
// The submission brings the key and the answer.
func (s *Service) CancelSlot(ctx context.Context, caller access.Caller, slotID uuid.UUID, reason string, sub desk.Submission) (desk.Outcome, error) {
	if strings.TrimSpace(reason) == "" {
		return desk.Outcome{}, errBlank("/reason")
	}
	slot, err := s.managedSlot(ctx, caller, slotID)
	if err != nil {
		return desk.Outcome{}, err
	}
	if slot.EventStatus == seating.EventDraft {
		return desk.Outcome{}, errInvalidTransition(slot.EventStatus, seating.EventCancelled, "Nobody has seen the draft's slot; delete it instead.")
	}
	cancelled := seating.SlotCancelled
	sub.Command = seating.EditSlot{SlotID: slotID, Status: &cancelled, By: access.ActorFor(caller, slot.OrganizerID, uuid.Nil, reason)}
	return s.desk.Do(ctx, sub)
}
