package server

import (
	"eventbooking/gen/api"
	"eventbooking/internal/account"
	"eventbooking/internal/booking"
	"eventbooking/internal/event"
	"eventbooking/internal/waitlist"
)

// Operations are all operations of the API. Each room brings its own ones and
// nothing else: an operation without a home does not compile, and one with two
// homes is ambiguous.
type Operations struct {
	*accounts
	*bookings
	*events
	*waitlists
	*service
}

type (
	accounts  = account.Handler
	bookings  = booking.Handler
	events    = event.Handler
	waitlists = waitlist.Handler
)

var _ api.StrictServerInterface = (*Operations)(nil)
