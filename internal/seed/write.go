package seed

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"eventbooking/internal/seating"
)

// Counts are numbers of rows.
type Counts struct{ Users, Events, Slots, Bookings, Entries int64 }

// table is a database table for values of a type.
type table[T any] struct {
	name    string
	columns []string
	values  func(T) []any
}

// copyTx writes rows by COPY.
func copyTx[T any](ctx context.Context, tx pgx.Tx, to table[T], rows []T) (int64, error) {
	n, err := tx.CopyFrom(ctx, pgx.Identifier{to.name}, to.columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		return to.values(rows[i]), nil
	}))
	if err != nil {
		return n, fmt.Errorf("copy %s: %w", to.name, err)
	}
	return n, nil
}

var users = table[*user]{"users",
	[]string{"id", "email", "email_key", "keyed_email", "name", "password_hash", "role", "created_at", "updated_at"},
	func(u *user) []any {
		return []any{id(u.ID), u.Email, u.EmailKey, u.KeyedEmail, u.Name, u.PasswordHash, u.Role, u.CreatedAt, u.UpdatedAt}
	}}

var events = table[*event]{"events",
	[]string{"id", "organizer_id", "title", "description", "location", "time_zone", "status", "revision",
		"cancellation_closes_minutes", "waitlist_mode", "waitlist_limit", "offer_minutes", "hold_minutes", "fit", "max_passes", "max_seats_per_booking", "max_seats_per_user",
		"published_at", "cancelled_at", "cancellation_reason", "created_at", "updated_at", "starts_at", "ends_at"},
	func(e *event) []any {
		return []any{id(e.ID), id(e.OrganizerID), e.Title, e.Description, e.Location, e.TimeZone, e.Status, e.Revision,
			e.CancellationClosesMinutes, e.WaitlistMode, e.WaitlistLimit, e.OfferMinutes, e.HoldMinutes, e.Fit, e.MaxPasses, e.MaxSeatsPerBooking, e.MaxSeatsPerUser,
			e.PublishedAt, e.CancelledAt, e.CancellationReason, e.CreatedAt, e.UpdatedAt, e.StartsAt, e.EndsAt}
	}}

var slots = table[*seating.Slot]{"slots",
	[]string{"id", "event_id", "starts_at", "ends_at", "capacity", "status", "revision", "version", "seats_taken",
		"waitlist_length", "waitlist_ready", "freed_version", "promotion_due_at", "created_at", "updated_at"},
	func(s *seating.Slot) []any {
		return []any{id(s.ID), id(s.EventID), s.StartsAt, s.EndsAt, s.Capacity, string(s.Status), s.Revision, s.Version, s.SeatsTaken,
			s.WaitlistLength, s.WaitlistReady, s.FreedVersion, at(s.PromotionDueAt), s.CreatedAt, s.UpdatedAt}
	}}

var bookings = table[*seating.Booking]{"bookings",
	[]string{"id", "slot_id", "user_id", "during", "seats", "status", "version", "queued_version", "passes",
		"blocked", "blocked_by", "replaces_booking_id", "replaced_by", "moved_from", "seats_min", "expires_at", "checked_in_at", "checked_in_by", "cancellation_closes_minutes",
		"created_at", "updated_at"},
	func(b *seating.Booking) []any {
		return []any{id(b.ID), id(b.SlotID), id(b.UserID), during(b.StartsAt, b.EndsAt), b.Seats, string(b.Status), b.Version,
			number(b.QueuedVersion), b.Passes, text(string(b.Blocked)), id(b.BlockedBy), id(b.Replaces), id(b.ReplacedBy), id(b.MovedFrom),
			number(int64(b.SeatsMin)), at(b.ExpiresAt), at(b.CheckedInAt), id(b.CheckedInBy), int32(b.CancellationCloses / time.Minute), b.CreatedAt, b.UpdatedAt}
	}}

var ledger = table[seating.Entry]{"ledger",
	[]string{"slot_id", "version", "kind", "booking_id", "user_id", "seats", "status", "capacity", "seats_taken",
		"waitlist_length", "reason", "actor", "actor_id", "cause_slot_id", "cause_version",
		"old_starts_at", "old_ends_at", "new_starts_at", "new_ends_at", "at"},
	func(e seating.Entry) []any {
		return []any{id(e.SlotID), e.Version, string(e.Kind), id(e.BookingID), id(e.UserID), e.Seats, text(string(e.Status)),
			e.Capacity, e.SeatsTaken, e.WaitlistLength, text(e.By.Reason), string(e.By.Role), id(e.By.ID),
			id(e.Cause.SlotID), number(e.Cause.Version),
			at(e.Times.OldStartsAt), at(e.Times.OldEndsAt), at(e.Times.NewStartsAt), at(e.Times.NewEndsAt), e.At}
	}}

// In the core's state zero values stand for NULL.

func id(u uuid.UUID) pgtype.UUID        { return pgtype.UUID{Bytes: u, Valid: u != uuid.Nil} }
func text(s string) pgtype.Text         { return pgtype.Text{String: s, Valid: s != ""} }
func number(n int64) pgtype.Int8        { return pgtype.Int8{Int64: n, Valid: n != 0} }
func at(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()} }

// during returns a half-open range, as in the slots' column.
func during(starts, ends time.Time) pgtype.Range[pgtype.Timestamptz] {
	return pgtype.Range[pgtype.Timestamptz]{
		Lower: at(starts), LowerType: pgtype.Inclusive,
		Upper: at(ends), UpperType: pgtype.Exclusive, Valid: true,
	}
}

// writeTx writes a world, and adds the numbers of its rows to counts.
func (w *world) writeTx(ctx context.Context, tx pgx.Tx, counts *Counts) error {
	var allSlots []*seating.Slot
	var allBookings []*seating.Booking
	var entries []seating.Entry
	for _, h := range w.histories {
		allSlots = append(allSlots, h.state.Slots()...)
		allBookings = append(allBookings, h.state.Bookings()...)
		entries = append(append(entries, h.opened...), h.state.Entries()...)
	}
	for _, write := range []struct {
		count *int64
		copy  func() (int64, error)
	}{
		{&counts.Users, func() (int64, error) { return copyTx(ctx, tx, users, w.users) }},
		{&counts.Events, func() (int64, error) { return copyTx(ctx, tx, events, w.events) }},
		{&counts.Slots, func() (int64, error) { return copyTx(ctx, tx, slots, allSlots) }},
		{&counts.Bookings, func() (int64, error) { return copyTx(ctx, tx, bookings, allBookings) }},
		{&counts.Entries, func() (int64, error) { return copyTx(ctx, tx, ledger, entries) }},
	} {
		n, err := write.copy()
		if err != nil {
			return err
		}
		*write.count += n
	}
	return nil
}
