package seating

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/fault"
)

// Opened is a new slot and the first entry of its ledger. From then on the slot
// changes by commands.
func Opened(slot Slot, by By) (Slot, Entry) {
	s := NewState(slot.CreatedAt)
	s.AddSlot(slot)
	s.record(s.slots[slot.ID], nil, KindOpened, by, Cause{})
	return *s.slots[slot.ID], s.entries[0]
}

// OpenTx inserts a slot and the first entry of its ledger. ID, EventID, times,
// Capacity, Status and CreatedAt must be given.
func OpenTx(ctx context.Context, tx pgx.Tx, slot Slot, by By) (Slot, error) {
	slot, entry := Opened(slot, by)
	q := db.New()
	err := q.SlotInsert(ctx, tx, db.SlotInsertParams{
		ID: slot.ID, EventID: slot.EventID, StartsAt: slot.StartsAt, EndsAt: slot.EndsAt,
		Capacity: int32(slot.Capacity), Status: string(slot.Status), Version: slot.Version, CreatedAt: slot.CreatedAt,
	})
	if err != nil {
		return Slot{}, fmt.Errorf("insert slot: %w", err)
	}
	if err := q.LedgerInsert(ctx, tx, ledgerRows(slot.CreatedAt, []Entry{entry})); err != nil {
		return Slot{}, fmt.Errorf("open the ledger: %w", err)
	}
	return slot, nil
}

// RemoveTx deletes a slot that was never booked. Its ledger stays, with a last
// entry that says so. revision is the one that the caller saw; 0 is any.
func RemoveTx(ctx context.Context, tx pgx.Tx, slotID uuid.UUID, revision int64, by By) error {
	q := db.New()
	row, err := q.SlotLock(ctx, tx, slotID)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fault.NotFound.New("There is no such slot.")
	case err != nil:
		return fmt.Errorf("lock slot: %w", err)
	case revision != 0 && revision != row.Revision:
		return fault.VersionMismatch.Newf("The slot is at revision %d.", row.Revision)
	}
	booked, err := q.SlotBookingsCount(ctx, tx, slotID)
	switch {
	case err != nil:
		return fmt.Errorf("count bookings: %w", err)
	case booked > 0:
		return fault.EventHasBookings.New("The slot was booked before, so it can only be cancelled.").With("count", booked)
	}
	entry := Entry{SlotID: slotID, Version: row.Version + 1, Kind: KindDeleted, Capacity: int(row.Capacity), By: by}
	now, err := q.ClockRead(ctx, tx)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	if err := q.LedgerInsert(ctx, tx, ledgerRows(now, []Entry{entry})); err != nil {
		return fmt.Errorf("close the ledger: %w", err)
	}
	if err := q.SlotDelete(ctx, tx, slotID); err != nil {
		return fmt.Errorf("delete slot: %w", err)
	}
	return nil
}
