package booking

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Cancel ends a booking, for its owner or for who manages its event; whoever
// cancels somebody else's gives a reason.
func (s *Service) Cancel(ctx context.Context, caller account.Caller, id uuid.UUID, reason string, order seating.Order) (seating.Outcome, error) {
	b, err := s.Get(ctx, caller, id)
	if err != nil {
		return seating.Outcome{}, err
	}
	reason = strings.TrimSpace(reason)
	if reason == "" && caller.UserID != b.UserID {
		return seating.Outcome{}, fault.Invalid(fault.Field{
			Pointer: "/reason", Code: "required", Detail: "Tell the attendee why their booking is cancelled."})
	}
	order.Command = seating.Cancel{
		SlotID: b.SlotID, BookingID: b.ID, UserID: b.UserID,
		By: b.by(caller, reason),
	}
	return s.desk.Do(ctx, order)
}
