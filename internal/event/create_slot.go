package event

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
)

// CreateSlot adds a slot to an event, for who manages it. The event's row is locked,
// so that nobody cancels the event or changes its rules meanwhile. Refusals:
// fault.NotFound, fault.NotPermitted, fault.InvalidTransition (cancelled),
// fault.ValidationFailed (too many slots), fault.InvalidTimeRange.
func (s *Service) CreateSlot(ctx context.Context, caller access.Caller, eventID uuid.UUID, n NewSlot, once Once[seating.Slot]) (idempotency.Response, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return idempotency.Response{}, err
	}
	return once.do(ctx, s.pool, eventID, func(tx pgx.Tx) (seating.Slot, error) {
		row, err := lockTx(ctx, tx, caller, eventID)
		if err != nil {
			return seating.Slot{}, err
		}
		if status := seating.EventStatus(row.Status); status == seating.EventCancelled {
			return seating.Slot{}, errInvalidTransition(status, status, "A slot cannot be added to a cancelled event.")
		}
		present, err := db.New().EventSlotsCount(ctx, tx, eventID)
		if err != nil {
			return seating.Slot{}, err
		}
		if present.Slots >= maxSlots {
			return seating.Slot{}, fault.Invalid(fault.Field{Code: "too_many_slots", Detail: fmt.Sprintf("an event can have at most %d slots", maxSlots)})
		}
		if err := n.check(present.Now); err != nil {
			return seating.Slot{}, err
		}
		return desk.OpenTx(ctx, tx, seating.Slot{
			ID: id, EventID: eventID, Status: seating.SlotOpen, Revision: 1,
			StartsAt: n.StartsAt, EndsAt: n.EndsAt, Capacity: n.Capacity, CreatedAt: present.Now,
		}, access.ActorFor(caller, row.OrganizerID, uuid.Nil, ""))
	})
}
