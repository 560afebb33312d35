package booking

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/account"
	"eventbooking/internal/seating"
)

// Hold keeps seats for the caller for a while, to be confirmed.
func (s *Service) Hold(ctx context.Context, caller account.Caller, slotID uuid.UUID, seats int, order seating.Order) (seating.Outcome, error) {
	book, err := request(caller, slotID, seats)
	if err != nil {
		return seating.Outcome{}, err
	}
	order.Command = seating.Hold{Book: book}
	return s.desk.Do(ctx, order)
}
