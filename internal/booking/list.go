package booking

import (
	"slices"

	"eventbooking/internal/page"
	"eventbooking/internal/view"
)

// List is a page of bookings. Next is the cursor of the page after it, empty on
// the last one.
type List struct {
	Bookings []view.Booking
	Next     string
}

// PageRequest is the part of a list that is asked for.
type PageRequest struct {
	Limit  *int
	Cursor *string
}

// Statuses narrow a list; none are all of them.
type Statuses []string

// filter is a form of its own: sorted, so that a cursor knows it again, and
// never nil, which would be NULL to the database.
func (s Statuses) filter() []string {
	sorted := append([]string{}, s...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func byID(p view.Booking) any { return p.ID }

// cut makes a page of rows that were read with one more than the limit.
func cut(rows []view.Booking, limit int, list any, key func(view.Booking) any) (List, error) {
	bookings, next, _, err := page.Cut(rows, limit, list, key)
	return List{bookings, next}, err
}
