package waitlist

import (
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
)

// Placed is a booking with its event and its place in the queue: what the API
// shows of it.
type Placed struct {
	seating.Booking
	EventID uuid.UUID
	// Position is 1 for who is next, 0 for a booking that does not wait.
	Position int
}

// PlacedRow is the shape of every query that reads bookings with their places.
type PlacedRow = struct {
	Booking  db.Booking
	EventID  uuid.UUID
	Position int64
}

// PlacedOf reads a row.
func PlacedOf(row PlacedRow) Placed {
	return Placed{Booking: seating.BookingOf(row.Booking), EventID: row.EventID, Position: int(row.Position)}
}

// AllPlaced reads the rows of a query.
func AllPlaced[R ~struct {
	Booking  db.Booking
	EventID  uuid.UUID
	Position int64
}](rows []R) []Placed {
	placed := make([]Placed, len(rows))
	for i, row := range rows {
		placed[i] = PlacedOf(PlacedRow(row))
	}
	return placed
}

// Owner is the shape of every query that reads whose event something belongs to.
type Owner = struct {
	OrganizerID uuid.UUID
	Status      string
}

// Part is in which part a caller acts on a booking that they see, given whose it is
// and whose event. An organizer stays one when the booking is their own; an
// administrator with a booking is an attendee like any other.
func Part(caller account.Caller, userID, organizerID uuid.UUID) seating.Actor {
	switch {
	case caller.UserID == organizerID && caller.Manages(organizerID):
		return seating.ByOrganizer
	case caller.UserID == userID:
		return seating.ByAttendee
	}
	return seating.ByAdmin
}

// Managed refuses who does not manage what was looked up. Somebody else's draft
// does not exist; what everybody can see is merely not theirs.
func Managed(caller account.Caller, owner Owner, err error) error {
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return err
	case err == nil && caller.Manages(owner.OrganizerID):
		return nil
	case err != nil || seating.EventStatus(owner.Status) == seating.EventDraft:
		return fault.NotFound.New("There is no such event or slot.")
	}
	return fault.NotPermitted.New("Only the event's organizer and administrators may do this.")
}
