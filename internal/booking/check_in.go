package booking

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// CheckIn records that an attendee has arrived, for who manages the event. Key and
// Render are taken from sub. Refusals: fault.NotFound, fault.NotPermitted,
// fault.InvalidTransition.
func (s *Service) CheckIn(ctx context.Context, caller access.Caller, id uuid.UUID, sub desk.Submission) (desk.Outcome, error) {
	return s.checkIn(ctx, caller, id, false, sub)
}

// UndoCheckIn undoes CheckIn, with the same refusals.
func (s *Service) UndoCheckIn(ctx context.Context, caller access.Caller, id uuid.UUID, sub desk.Submission) (desk.Outcome, error) {
	return s.checkIn(ctx, caller, id, true, sub)
}

func (s *Service) checkIn(ctx context.Context, caller access.Caller, id uuid.UUID, undo bool, sub desk.Submission) (desk.Outcome, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return desk.Outcome{}, err
	}
	if !caller.Manages(b.OrganizerID) {
		return desk.Outcome{}, fault.NotPermitted.New("Only the event's organizer and administrators may check attendees in.")
	}
	sub.Command = seating.CheckIn{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Undo: undo, By: b.actor(caller, "")}
	return s.desk.Do(ctx, sub)
}
