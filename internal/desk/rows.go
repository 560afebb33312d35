package desk

import (
	"time"

	"eventbooking/gen/db"
	"eventbooking/internal/seating"
)

// SlotOf converts a row of a slot with the settings of its event.
func SlotOf(r db.SlotsLoadRow) seating.Slot {
	limit := seating.NoLimit
	if r.WaitlistLimit != nil {
		limit = int(*r.WaitlistLimit)
	}
	return seating.Slot{
		ID: r.ID, EventID: r.EventID, OrganizerID: r.OrganizerID,
		EventStatus: seating.EventStatus(r.EventStatus), Status: seating.SlotStatus(r.Status),
		StartsAt: r.StartsAt, EndsAt: r.EndsAt, Capacity: int(r.Capacity),
		Policy: seating.Policy{
			BookingOpensAt: given(r.BookingOpensAt), BookingClosesAt: given(r.BookingClosesAt),
			WalkIns:            r.WalkIns,
			CancellationCloses: time.Duration(r.CancellationClosesMinutes) * time.Minute,
			WaitlistMode:       seating.WaitlistMode(r.WaitlistMode), WaitlistLimit: limit,
			OfferFor: time.Duration(r.OfferMinutes) * time.Minute,
			HoldFor:  time.Duration(r.HoldMinutes) * time.Minute,
			Fit:      seating.Fit(r.Fit), MaxPasses: int(r.MaxPasses),
			MaxSeatsPerBooking: int(given(r.MaxSeatsPerBooking)), MaxSeatsPerUser: int(given(r.MaxSeatsPerUser)),
		},
		Revision: r.Revision, Version: r.Version,
		SeatsTaken: int(r.SeatsTaken), WaitlistLength: int(r.WaitlistLength), WaitlistReady: int(r.WaitlistReady),
		FreedVersion: r.FreedVersion, PromotionDueAt: given(r.PromotionDueAt),
		CancelledAt: given(r.CancelledAt), CancelledBecause: r.CancelledBecause,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

// BookingOf converts a row of a booking.
func BookingOf(r db.Booking) seating.Booking {
	return seating.Booking{
		ID: r.ID, SlotID: r.SlotID, UserID: r.UserID,
		StartsAt: r.During.Lower.Time, EndsAt: r.During.Upper.Time,
		Seats: int(r.Seats), SeatsMin: int(given(r.SeatsMin)), Status: seating.Status(r.Status), Version: r.Version,
		QueuedVersion: given(r.QueuedVersion), Passes: int(r.Passes),
		Blocked: seating.Block(given(r.Blocked)), BlockedBy: given(r.BlockedBy), Replaces: given(r.ReplacesBookingID),
		ReplacedBy: given(r.ReplacedBy), MovedFrom: given(r.MovedFrom), CheckedInAt: given(r.CheckedInAt), CheckedInBy: given(r.CheckedInBy),
		CancellationCloses: time.Duration(r.CancellationClosesMinutes) * time.Minute,
		ExpiresAt:          given(r.ExpiresAt), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

// claimOf converts what counts of a booking for the limit of its user's seats.
func claimOf(r db.BookingsOfEventsRow) seating.Booking {
	return seating.Booking{
		ID: r.ID, SlotID: r.SlotID, UserID: r.UserID, StartsAt: r.StartsAt, EndsAt: r.EndsAt,
		Seats: int(r.Seats), Status: seating.Status(r.Status), Replaces: r.Gives,
		CancellationCloses: time.Duration(r.CancellationClosesMinutes) * time.Minute,
		ExpiresAt:          given(r.ExpiresAt), CheckedInAt: given(r.CheckedInAt),
	}
}

// given returns the value of a nullable column, or the zero value.
func given[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
