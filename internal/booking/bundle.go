package booking

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Item is one slot of a bundle.
type Item struct {
	SlotID uuid.UUID
	Seats  int
}

// Bundle books several slots for the caller: all of them, or none. The items of the
// result have the same order. Key and Render are taken from sub. Refusals:
// fault.ValidationFailed and those of seating.Bundle.
func (s *Service) Bundle(ctx context.Context, caller access.Caller, items []Item, sub desk.Submission) (desk.Outcome, error) {
	if err := checkItems(items); err != nil {
		return desk.Outcome{}, err
	}
	bundle := seating.Bundle{Items: make([]seating.Book, len(items))}
	for i, item := range items {
		book, err := newBook(caller, item.SlotID, item.Seats)
		if err != nil {
			return desk.Outcome{}, err
		}
		bundle.Items[i] = book
	}
	sub.Command = bundle
	return s.desk.Do(ctx, sub)
}

// checkItems refuses slots that are named more than once, and names all of them.
func checkItems(items []Item) error {
	var wrong []fault.Field
	first := make(map[uuid.UUID]int, len(items))
	for i, item := range items {
		if j, named := first[item.SlotID]; named {
			wrong = append(wrong, fault.Field{Pointer: fmt.Sprintf("/items/%d/slot_id", i), Code: "duplicate",
				Detail: fmt.Sprintf("is the slot of item %d too; request all its seats in one item", j)})
		} else {
			first[item.SlotID] = i
		}
	}
	if len(wrong) > 0 {
		return fault.Invalid(wrong...)
	}
	return nil
}
