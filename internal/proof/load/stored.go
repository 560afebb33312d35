//go:build unix

package load

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/internal/proof/spec"
)

// readStored reads what the database has at one moment.
func readStored(ctx context.Context, databaseURL string) (Stored, error) {
	s := Stored{Ledger: map[EntryKey]Entry{}, Bookings: map[uuid.UUID]Booking{}}
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return s, err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := s.readLedger(ctx, tx); err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		if err := s.readBookings(ctx, tx); err != nil {
			return fmt.Errorf("read the bookings: %w", err)
		}
		return nil
	})
	return s, err
}

func (s Stored) readLedger(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		SELECT slot_id, version, kind, actor, coalesce(reason, ''), coalesce(booking_id, $1), seats, coalesce(status, ''),
		       coalesce(cause_slot_id, $1), coalesce(cause_version, 0)
		FROM ledger`, uuid.Nil)
	if err != nil {
		return err
	}
	var at EntryKey
	var e Entry
	var status string
	_, err = pgx.ForEachRow(rows, []any{
		&at.Slot, &at.Version, &e.Kind, &e.Actor, &e.Reason, &e.Booking, &e.Seats, &status, &e.Cause.Slot, &e.Cause.Version,
	}, func() error {
		e.Status = spec.StatusOf(status)
		s.Ledger[at] = e
		return nil
	})
	return err
}

func (s Stored) readBookings(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		SELECT id, slot_id, version, seats, status, coalesce(replaces_booking_id, $1), coalesce(replaced_by, $1), coalesce(moved_from, $1)
		FROM bookings`, uuid.Nil)
	if err != nil {
		return err
	}
	var id uuid.UUID
	var row Booking
	var status string
	_, err = pgx.ForEachRow(rows, []any{
		&id, &row.At.Slot, &row.At.Version, &row.Seats, &status, &row.Replaces, &row.ReplacedBy, &row.MovedFrom,
	}, func() error {
		row.Status = spec.StatusOf(status)
		s.Bookings[id] = row
		return nil
	})
	return err
}
