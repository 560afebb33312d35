package booking

import (
	"slices"

	"github.com/google/uuid"

	"eventbooking/internal/seating"
	"eventbooking/internal/view"
)

// Statuses selects bookings by status; none of them means all.
type Statuses []string

// allStatuses are those that a booking can have.
var allStatuses = Statuses{string(seating.Waitlisted), string(seating.Held), string(seating.Offered),
	string(seating.Confirmed), string(seating.Cancelled), string(seating.Expired)}

// filter returns the statuses sorted and each once, so that the same ones always make the
// same cursor.
func (s Statuses) filter() Statuses {
	sorted := append(Statuses{}, s...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// orAll returns the statuses by name: lists read the bookings of each status by an index.
func (s Statuses) orAll() Statuses {
	if len(s) == 0 {
		return allStatuses
	}
	return s
}

func byID(b view.Booking) uuid.UUID { return b.ID }
