package booking

import (
	"slices"

	"eventbooking/internal/page"
	"eventbooking/internal/view"
)

// List is a page of bookings. Next is the cursor of the following page, or empty.
type List struct {
	Bookings []view.Booking
	Next     string
}

// PageRequest says which page of a list is requested; nil means the default limit, or
// the first page.
type PageRequest struct {
	Limit  *int
	Cursor *string
}

// Statuses selects bookings by status; none of them means all.
type Statuses []string

// filter returns the statuses sorted, so that the same ones always make the same
// cursor, and never nil, which would be NULL in the database.
func (s Statuses) filter() []string {
	sorted := append([]string{}, s...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func byID(b view.Booking) any { return b.ID }

// cut makes a page of rows; one more than the limit was read.
func cut(rows []view.Booking, limit int, list any, key func(view.Booking) any) (List, error) {
	bookings, next, _, err := page.Cut(rows, limit, list, key)
	return List{bookings, next}, err
}
