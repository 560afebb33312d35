package server

import (
	"eventbooking/gen/api"
	"eventbooking/internal/account"
	"eventbooking/internal/booking"
	"eventbooking/internal/event"
	"eventbooking/internal/waitlist"
)

// Operations implements all operations of the API. Each package implements its own
// and no others: an operation that none or two of them implement does not compile.
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
