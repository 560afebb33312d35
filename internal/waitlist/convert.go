package waitlist

import (
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/internal/idempotency"
	"eventbooking/internal/seating"
)

// JSON is the booking as the API shows it.
func (p Placed) JSON() api.Booking {
	return api.Booking{
		ID: p.ID, SlotID: p.SlotID, EventID: p.EventID, UserID: p.UserID,
		Seats: p.Seats, Status: api.BookingStatus(p.Status),
		WaitlistPosition: orNull(p.Position), Blocked: p.Blocked != seating.NotBlocked,
		ExpiresAt: orNull(p.ExpiresAt.UTC()), SlotVersion: p.Version,
		StartsAt: p.StartsAt.UTC(), EndsAt: p.EndsAt.UTC(),
		CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
	}
}

// SlotJSON is a slot as the API shows it.
func SlotJSON(s seating.Slot) api.Slot {
	return api.Slot{
		ID: s.ID, EventID: s.EventID, Status: api.SlotStatus(s.Status),
		StartsAt: s.StartsAt.UTC(), EndsAt: s.EndsAt.UTC(),
		Capacity: s.Capacity, SeatsTaken: s.SeatsTaken, SeatsAvailable: s.Free(),
		WaitlistLength: s.WaitlistLength, Version: s.Version, Revision: s.Revision,
		CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
}

func promoted(r seating.Result) (idempotency.Response, error) {
	list := make([]api.Booking, len(r.Promoted))
	for i, b := range r.Promoted {
		list[i] = Placed{Booking: b, EventID: r.Slot.EventID}.JSON()
	}
	return idempotency.Record(api.PromoteSlot200JSONResponse{
		Body: api.Promotion{Slot: SlotJSON(r.Slot), Promoted: list}}.VisitPromoteSlotResponse)
}

func entryList(queue []Placed, next string) api.WaitlistEntryList {
	entries := make([]api.WaitlistEntry, len(queue))
	for i, p := range queue {
		entries[i] = api.WaitlistEntry{Position: p.Position, Passes: p.Passes, BlockedBy: orNull(p.BlockedBy), Booking: p.JSON()}
	}
	return api.WaitlistEntryList{Data: entries, NextCursor: orNull(next), HasMore: next != ""}
}

func (p Position) json() api.WaitlistPosition {
	reasons := []api.WaitReason{}
	for _, r := range p.Reasons() {
		reasons = append(reasons, api.WaitReason{Code: api.WaitReasonCode(r.Code), Detail: r.Detail, SinceVersion: orNull(r.SinceVersion)})
	}
	return api.WaitlistPosition{
		BookingID: p.BookingID, SlotID: p.SlotID, Status: api.BookingStatus(p.Status),
		Position: orNull(p.Place()), BookingsAhead: p.BookingsAhead, SeatsAhead: p.SeatsAhead,
		Blocked: p.Blocked != seating.NotBlocked, BlockedBy: orNull(p.BlockedBy), Passes: p.Passes,
		SeatsNeeded: p.SeatsNeeded(), SeatsAvailable: p.Free(), Reasons: reasons, SlotVersion: p.SlotVersion,
	}
}

// orNull is null for the zero value, which none of these fields has otherwise.
func orNull[T comparable](v T) nullable.Nullable[T] {
	if v == *new(T) {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(v)
}
