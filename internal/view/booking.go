package view

import (
	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
)

// Booking is a booking with its event and its position in the queue, as the API
// shows it.
type Booking struct {
	seating.Booking
	EventID uuid.UUID
	// Position in the queue: 1 is next, 0 means that the booking does not wait.
	Position int
}

// BookingRow has the columns of every query that reads bookings with their positions.
type BookingRow = struct {
	Booking  db.Booking
	EventID  uuid.UUID
	Position int64
}

// BookingFrom converts a row.
func BookingFrom(row BookingRow) Booking {
	return Booking{Booking: desk.BookingOf(row.Booking), EventID: row.EventID, Position: int(row.Position)}
}

// BookingsFrom converts the rows of a query.
func BookingsFrom[R ~struct {
	Booking  db.Booking
	EventID  uuid.UUID
	Position int64
}](rows []R) []Booking {
	bookings := make([]Booking, len(rows))
	for i, row := range rows {
		bookings[i] = BookingFrom(BookingRow(row))
	}
	return bookings
}

// JSON converts the booking for the API, as the caller may see it.
func (b Booking) JSON(caller access.Caller) api.Booking {
	return api.Booking{
		ID: b.ID, SlotID: b.SlotID, EventID: b.EventID, UserID: b.UserID,
		Seats: b.Seats, Status: api.BookingStatus(b.Status),
		WaitlistPosition: ZeroIsNull(b.Position), Blocked: b.Blocked != seating.NotBlocked,
		ExpiresAt: ZeroIsNull(b.ExpiresAt.UTC()), SeatsMin: ZeroIsNull(b.SeatsMin),
		ReplacesBookingID: OtherBooking(caller, b.UserID, b.Replaces), MovedFromBookingID: ZeroIsNull(b.MovedFrom),
		CheckedInAt: ZeroIsNull(b.CheckedInAt.UTC()), SlotVersion: b.Version,
		StartsAt: b.StartsAt.UTC(), EndsAt: b.EndsAt.UTC(),
		CreatedAt: b.CreatedAt.UTC(), UpdatedAt: b.UpdatedAt.UTC(),
	}
}

// OtherBooking returns the id of another booking of the user, or null if there is none
// or the caller may not see it.
func OtherBooking(caller access.Caller, userID, bookingID uuid.UUID) nullable.Nullable[uuid.UUID] {
	if !caller.CanSeeOtherBookings(userID) {
		return nullable.NewNullNullable[uuid.UUID]()
	}
	return ZeroIsNull(bookingID)
}

// Tagged converts the booking for the API, and returns its ETag too.
func (b Booking) Tagged(caller access.Caller) (body api.Booking, etag string, err error) {
	body = b.JSON(caller)
	etag, err = ETag(body)
	return body, etag, err
}
