package event

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Slot is a slot as it was at the time Now of the database's clock.
type Slot struct {
	seating.Slot
	Now time.Time
}

// Limits of the slots of an event.
const (
	maxSlots    = 1000
	maxDuration = 31 * 24 * time.Hour
	// yearsAhead is how far in the future a slot may start.
	yearsAhead = 10
)

// NewSlot has the times and the capacity of a new slot.
type NewSlot struct {
	StartsAt, EndsAt time.Time
	Capacity         int
}

func (n NewSlot) check(now time.Time) error {
	switch {
	case !n.StartsAt.Before(n.EndsAt):
		return errBadTime("/ends_at", "must be after starts_at")
	case !now.Before(n.StartsAt):
		return errBadTime("/starts_at", "must be in the future")
	}
	return checkBounds(n.StartsAt, n.EndsAt, now)
}

// checkBounds refuses times that can only be mistakes.
func checkBounds(starts, ends, now time.Time) error {
	switch {
	case starts.After(now.AddDate(yearsAhead, 0, 0)):
		return errBadTime("/starts_at", "must be at most ten years ahead")
	case ends.Sub(starts) > maxDuration:
		return errBadTime("/ends_at", "must be at most 31 days after starts_at")
	}
	return nil
}

func errNoSlot() error { return fault.NotFound.New("There is no such slot.") }

// slot reads a slot.
func (s *Service) slot(ctx context.Context, slotID uuid.UUID) (Slot, error) {
	row, err := postgres.Read(ctx, s.pool, func(conn *pgxpool.Conn) (db.SlotGetRow, error) { return db.New().SlotGet(ctx, conn, slotID) })
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Slot{}, errNoSlot()
	case err != nil:
		return Slot{}, err
	}
	return slotOf(row), nil
}

// managedSlot reads a slot for who manages its event. Refusals: fault.NotFound,
// fault.NotPermitted.
func (s *Service) managedSlot(ctx context.Context, caller access.Caller, slotID uuid.UUID) (Slot, error) {
	slot, err := s.slot(ctx, slotID)
	if err != nil {
		return Slot{}, err
	}
	return slot, caller.CheckManages(slot.OrganizerID, slot.EventStatus, errNoSlot())
}

// slotOf converts a slot's row. It has the status of its event, but not the settings.
func slotOf(row db.SlotGetRow) Slot {
	r := row.Slot
	return Slot{Now: row.Now, Slot: seating.Slot{
		ID: r.ID, EventID: r.EventID, OrganizerID: row.OrganizerID,
		EventStatus: seating.EventStatus(row.EventStatus), Status: seating.SlotStatus(r.Status),
		StartsAt: r.StartsAt, EndsAt: r.EndsAt, Capacity: int(r.Capacity),
		Revision: r.Revision, Version: r.Version,
		SeatsTaken: int(r.SeatsTaken), WaitlistLength: int(r.WaitlistLength),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}}
}
