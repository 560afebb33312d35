package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// OpenTx inserts a new slot and the first entry of its ledger, and returns the slot.
// ID, EventID, times, Capacity, Status and CreatedAt must be set.
func OpenTx(ctx context.Context, tx pgx.Tx, slot seating.Slot, by seating.Actor) (seating.Slot, error) {
	slot, entry := seating.Open(slot, by)
	q := db.New()
	err := q.SlotInsert(ctx, tx, db.SlotInsertParams{
		ID: slot.ID, EventID: slot.EventID, StartsAt: slot.StartsAt, EndsAt: slot.EndsAt,
		Capacity: int32(slot.Capacity), Status: string(slot.Status), Version: slot.Version, CreatedAt: slot.CreatedAt,
	})
	if err != nil {
		return seating.Slot{}, fmt.Errorf("insert slot: %w", err)
	}
	if err := q.LedgerInsert(ctx, tx, ledgerRows(slot.CreatedAt, []seating.Entry{entry})); err != nil {
		return seating.Slot{}, fmt.Errorf("open the ledger: %w", err)
	}
	return slot, nil
}

// RemoveTx deletes a slot that was never booked. Its ledger stays, with a last entry
// of kind deleted. check is called with the revision of the locked slot, and can
// refuse. Other refusals: fault.NotFound, fault.EventHasBookings.
func RemoveTx(ctx context.Context, tx pgx.Tx, slotID uuid.UUID, check func(revision int64) error, by seating.Actor) error {
	q := db.New()
	row, err := q.SlotLock(ctx, tx, slotID)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fault.NotFound.New("There is no such slot.")
	case err != nil:
		return fmt.Errorf("lock slot: %w", err)
	}
	if err := check(row.Revision); err != nil {
		return err
	}
	booked, err := q.SlotBookingsCount(ctx, tx, slotID)
	switch {
	case err != nil:
		return fmt.Errorf("count bookings: %w", err)
	case booked > 0:
		return fault.EventHasBookings.New("The slot has had bookings, so it can be cancelled but not deleted.").With(fault.Members{Count: new(int(booked))})
	}
	entry := seating.Entry{SlotID: slotID, Version: row.Version + 1, Kind: seating.KindDeleted, Capacity: int(row.Capacity), By: by}
	now, err := q.ClockRead(ctx, tx)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	if err := q.LedgerInsert(ctx, tx, ledgerRows(now, []seating.Entry{entry})); err != nil {
		return fmt.Errorf("close the ledger: %w", err)
	}
	if err := q.SlotDelete(ctx, tx, slotID); err != nil {
		return fmt.Errorf("delete slot: %w", err)
	}
	return nil
}
