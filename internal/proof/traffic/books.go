//go:build unix

package traffic

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Open reads the books of one moment.
func Open(ctx context.Context, databaseURL string) (Books, error) {
	b := Books{Ledger: map[Place]Entry{}, Bookings: map[uuid.UUID]Booking{}}
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return b, err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := b.readLedger(ctx, tx); err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		if err := b.readBookings(ctx, tx); err != nil {
			return fmt.Errorf("read the bookings: %w", err)
		}
		return nil
	})
	return b, err
}

func (b Books) readLedger(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		SELECT slot_id, version, kind, actor, coalesce(reason, ''), coalesce(booking_id, $1), seats, coalesce(status, ''),
		       coalesce(cause_slot_id, $1), coalesce(cause_version, 0)
		FROM ledger`, uuid.Nil)
	if err != nil {
		return err
	}
	var at Place
	var e Entry
	_, err = pgx.ForEachRow(rows, []any{
		&at.Slot, &at.Version, &e.Kind, &e.Actor, &e.Reason, &e.Booking, &e.Seats, &e.Status, &e.Cause.Slot, &e.Cause.Version,
	}, func() error {
		b.Ledger[at] = e
		return nil
	})
	return err
}

func (b Books) readBookings(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		SELECT id, slot_id, version, seats, status, coalesce(replaces_booking_id, $1), coalesce(replaced_by, $1), coalesce(moved_from, $1)
		FROM bookings`, uuid.Nil)
	if err != nil {
		return err
	}
	var id uuid.UUID
	var row Booking
	_, err = pgx.ForEachRow(rows, []any{
		&id, &row.At.Slot, &row.At.Version, &row.Seats, &row.Status, &row.Replaces, &row.ReplacedBy, &row.MovedFrom,
	}, func() error {
		b.Bookings[id] = row
		return nil
	})
	return err
}
