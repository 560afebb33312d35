package booking

import "eventbooking/internal/seating"

// PatchOf is for the rule tests.
func PatchOf(p Patch, b seating.Booking) (seats, least int, err error) { return p.of(b) }
