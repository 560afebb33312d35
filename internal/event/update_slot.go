package event

import (
	"context"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// SlotEdit changes a slot; nil leaves a setting as it is.
type SlotEdit struct {
	StartsAt, EndsAt *time.Time
	Capacity         *int
	Status           *seating.SlotStatus
	// Displace cancels the bookings of attendees who have seats elsewhere at the new
	// times. Without it, such an edit is refused.
	Displace bool
}

// UpdateSlot edits a slot, for who manages it. Refusals: fault.NotFound,
// fault.NotPermitted, fault.InvalidTimeRange and those of seating.EditSlot.
func (s *Service) UpdateSlot(ctx context.Context, caller access.Caller, slotID uuid.UUID, match view.IfMatch, edit SlotEdit) (Slot, error) {
	slot, err := s.managedSlot(ctx, caller, slotID)
	if err != nil {
		return Slot{}, err
	}
	if err := match.CheckRevision(slot.Revision); err != nil {
		return Slot{}, err
	}
	if err := edit.check(slot); err != nil {
		return Slot{}, err
	}
	revision := slot.Revision // what was checked here holds for it
	if match.IsAny() {
		revision = 0 // the command checks what depends on the other edits
	}
	outcome, err := s.desk.Do(ctx, desk.Submission{Command: seating.EditSlot{
		SlotID: slotID, Revision: revision, By: access.ActorFor(caller, slot.OrganizerID, uuid.Nil, ""),
		Capacity: edit.Capacity, StartsAt: edit.StartsAt, EndsAt: edit.EndsAt, MaxDuration: maxDuration,
		Status: edit.Status, Displace: edit.Displace,
	}})
	return Slot{Slot: outcome.Result.Slot, Now: outcome.Result.At}, err
}

// check checks the limits that seating.EditSlot does not check, on the times after the
// edit.
func (e SlotEdit) check(slot Slot) error {
	if e.StartsAt == nil && e.EndsAt == nil {
		return nil
	}
	return checkBounds(view.OrElse(e.StartsAt, slot.StartsAt), view.OrElse(e.EndsAt, slot.EndsAt), slot.Now)
}
