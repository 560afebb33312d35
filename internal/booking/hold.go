package booking

import (
	"context"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Hold keeps seats for the caller for a while, to be confirmed. Key and Render are
// taken from sub. The refusals are those of seating.Hold.
func (s *Service) Hold(ctx context.Context, caller access.Caller, slotID uuid.UUID, seats int, sub desk.Submission) (desk.Outcome, error) {
	book, err := newBook(caller, slotID, seats)
	if err != nil {
		return desk.Outcome{}, err
	}
	sub.Command = seating.Hold{Book: book}
	return s.desk.Do(ctx, sub)
}
