package booking

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// CheckIn notes that the one who booked has come, for who manages the event.
func (s *Service) CheckIn(ctx context.Context, caller account.Caller, id uuid.UUID, order seating.Order) (seating.Outcome, error) {
	return s.checkIn(ctx, caller, id, false, order)
}

// UndoCheckIn takes that back.
func (s *Service) UndoCheckIn(ctx context.Context, caller account.Caller, id uuid.UUID, order seating.Order) (seating.Outcome, error) {
	return s.checkIn(ctx, caller, id, true, order)
}

func (s *Service) checkIn(ctx context.Context, caller account.Caller, id uuid.UUID, undo bool, order seating.Order) (seating.Outcome, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return seating.Outcome{}, err
	}
	if !caller.Manages(b.OrganizerID) {
		return seating.Outcome{}, fault.NotPermitted.New("Only the event's organizer and administrators check attendees in.")
	}
	// Nobody checks in as an attendee: an administrator is one at the own booking, too.
	by := seating.By{Actor: seating.ByAdmin, ID: caller.UserID}
	if caller.UserID == b.OrganizerID {
		by.Actor = seating.ByOrganizer
	}
	order.Command = seating.CheckIn{SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID, Undo: undo, By: by}
	return s.desk.Do(ctx, order)
}
