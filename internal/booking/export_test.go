package booking

import "eventbooking/internal/seating"

// ApplyPatch applies a patch.
func ApplyPatch(p Patch, b seating.Booking) (seats, seatsMin int, err error) { return p.apply(b) }
