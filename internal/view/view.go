// Package view has what several packages show in the same way: bookings, slots and
// ledger entries as JSON, their ETags, and values that may be null.
package view

import (
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/page"
	"eventbooking/internal/seating"
)

// Slot converts a slot for the API, as it is at a time.
func Slot(s seating.Slot, now time.Time) api.Slot {
	return api.Slot{
		ID: s.ID, EventID: s.EventID, Status: api.SlotStatus(s.Status),
		StartsAt: s.StartsAt.UTC(), EndsAt: s.EndsAt.UTC(),
		Capacity: s.Capacity, SeatsTaken: s.SeatsTaken, SeatsAvailable: s.Available(now),
		WaitlistLength: s.WaitlistLength, Version: s.Version, Revision: s.Revision,
		CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
}

// Entry converts a ledger entry for the API.
func Entry(e db.Ledger) api.LedgerEntry {
	return api.LedgerEntry{
		SlotID: e.SlotID, Version: e.Version, Kind: api.LedgerKind(e.Kind),
		BookingID: OrNull(e.BookingID), UserID: OrNull(e.UserID), Seats: int(e.Seats),
		SeatsTaken: int(e.SeatsTaken), WaitlistLength: int(e.WaitlistLength), Capacity: int(e.Capacity),
		OldStartsAt: OrNull(UTC(e.OldStartsAt)), OldEndsAt: OrNull(UTC(e.OldEndsAt)),
		NewStartsAt: OrNull(UTC(e.NewStartsAt)), NewEndsAt: OrNull(UTC(e.NewEndsAt)),
		Reason: OrNull(e.Reason), Actor: api.Actor(e.Actor), ActorID: OrNull(e.ActorID),
		Cause: cause(e.CauseSlotID, e.CauseVersion), At: e.At.UTC(),
	}
}

func cause(slotID *uuid.UUID, version *int64) nullable.Nullable[api.LedgerRef] {
	if slotID == nil || version == nil {
		return nullable.NewNullNullable[api.LedgerRef]()
	}
	return nullable.NewNullableWithValue(api.LedgerRef{SlotID: *slotID, Version: *version})
}

// EntryList is a page of ledger entries in the API.
func EntryList(p page.Page[db.Ledger]) api.LedgerEntryList {
	data := make([]api.LedgerEntry, len(p.Items))
	for i, e := range p.Items {
		data[i] = Entry(e)
	}
	return api.LedgerEntryList{Data: data, NextCursor: ZeroIsNull(p.Next), HasMore: p.HasMore()}
}

// EntryKey is the key of a ledger entry in lists of one slot's entries.
func EntryKey(e db.Ledger) int64 { return e.Version }

// OrNull returns the value, or null for nil.
func OrNull[T any](value *T) nullable.Nullable[T] {
	if value == nil {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(*value)
}

// ZeroIsNull returns the value, or null for the zero value.
func ZeroIsNull[T comparable](value T) nullable.Nullable[T] {
	if value == *new(T) {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(value)
}

// OrElse returns the value, or otherwise for nil.
func OrElse[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// Either returns the body of a request that may have one of two media types: a,
// unless that is nil.
func Either[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

// UTC returns the time in UTC; nil stays nil.
func UTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}
