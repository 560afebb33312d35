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
// cancels somebody else's gives a reason. The booking is read without a lock:
// what is needed of it, its slot and its owner, never changes.
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
		By: seating.By{Actor: b.Part(caller), ID: caller.UserID, Reason: reason},
	}
	return s.desk.Do(ctx, order)
}
