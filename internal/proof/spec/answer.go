package spec

import "net/http"

// Answer is what a request comes to.
type Answer struct {
	Status int
	Code   Code
	// Bookings are those that it shows. Names is the one that a refusal names, Item
	// the item of a bundle that was refused; None: none.
	Bookings    []int
	Names, Item int
	// WaitlistOpen, of slot_full, says whether one could wait.
	WaitlistOpen bool
}

// Code is that of a problem.
type Code string

// The codes.
const (
	AlreadyBooked       Code = "already_booked"
	BookingClosed       Code = "booking_closed"
	BookingSeatLimit    Code = "booking_seat_limit"
	BookingFinal        Code = "booking_final"
	BookingOverlap      Code = "booking_overlap"
	CancellationClosed  Code = "cancellation_window_closed"
	CapacityBelowTaken  Code = "capacity_below_taken"
	IsCheckedIn         Code = "checked_in"
	EventHasBookings    Code = "event_has_bookings"
	HoldExpired         Code = "hold_expired"
	InvalidTimeRange    Code = "invalid_time_range"
	InvalidTransition   Code = "invalid_transition"
	NotFound            Code = "not_found"
	NotPermitted        Code = "not_permitted"
	OfferExpired        Code = "offer_expired"
	SeatsExceedCapacity Code = "seats_exceed_capacity"
	SlotFull            Code = "slot_full"
	SlotHasEnded        Code = "slot_ended"
	SlotIsCancelled     Code = "slot_cancelled"
	SlotStarted         Code = "slot_started"
	UserSeatLimit       Code = "user_seat_limit"
	ValidationFailed    Code = "validation_failed"
	VersionMismatch     Code = "version_mismatch"
	WaitlistDisabled    Code = "waitlist_disabled"
	WaitlistFull        Code = "waitlist_full"
	WaitlistInUse       Code = "waitlist_in_use"
)

// statuses are those of the problems that are no conflicts.
var statuses = map[Code]int{
	NotPermitted: http.StatusForbidden, NotFound: http.StatusNotFound, VersionMismatch: http.StatusPreconditionFailed,
	InvalidTimeRange: http.StatusUnprocessableEntity,
	ValidationFailed: http.StatusUnprocessableEntity, SeatsExceedCapacity: http.StatusUnprocessableEntity,
}

func done(bookings ...int) Answer {
	return Answer{Status: http.StatusOK, Bookings: bookings, Names: None, Item: None}
}

func made(bookings ...int) Answer {
	return Answer{Status: http.StatusCreated, Bookings: bookings, Names: None, Item: None}
}

func refuse(code Code) Answer {
	a := Answer{Status: http.StatusConflict, Code: code, Names: None, Item: None}
	if status, listed := statuses[code]; listed {
		a.Status = status
	}
	return a
}
