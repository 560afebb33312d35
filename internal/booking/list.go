package booking

import (
	"slices"

	"eventbooking/internal/view"

	"github.com/google/uuid"
)

// Statuses selects bookings by status; none of them means all.
type Statuses []string

// filter returns the statuses sorted, so that the same ones always make the same
// cursor, and never nil, which would be NULL in the database.
func (s Statuses) filter() []string {
	sorted := append([]string{}, s...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func byID(b view.Booking) uuid.UUID { return b.ID }
