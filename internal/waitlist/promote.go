package waitlist

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/seating"
)

// Promote runs a slot's promotion now, for who manages it. It does a page of the
// work; the desk sees to the rest. The order brings the key and the answer.
func (s *Service) Promote(ctx context.Context, caller account.Caller, slotID uuid.UUID, order seating.Order) (seating.Outcome, error) {
	if err := s.managed(ctx, caller, slotID); err != nil {
		return seating.Outcome{}, err
	}
	order.Command = seating.Promote{SlotID: slotID}
	return s.desk.Do(ctx, order)
}
