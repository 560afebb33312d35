//go:build unix

package server_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/testkit"
)

// Every problem whose code has members of its own is raised here, and comes with
// them: the client holds it against the contract.
func TestProblemsHaveTheMembersOfTheirCodes(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	_, admin := h.user(access.Admin)
	_, owner := h.user(access.Attendee)
	_, other := h.user(access.Attendee)

	raised := map[string]bool{}
	raises := func(code *fault.Code, answer testkit.Answer) {
		t.Helper()
		raised[code.Name] = true
		answer.WantProblem(code)
	}
	slot := func(seats int, edit func(*db.Event), times func(*seating.Slot)) (event db.Event, path string) {
		event = testkit.Event(t, h.pool, edit)
		return event, "/api/v1/slots/" + testkit.Slot(t, h.pool, event.ID, testkit.Capacity(seats), times).ID.String()
	}
	asItIs := func(*db.Event) {}
	tomorrow := testkit.Times(24*time.Hour, 25*time.Hour)
	book := func(path string, seats int) (id uuid.UUID) {
		t.Helper()
		var booking api.Booking
		owner.Post(path+"/bookings", map[string]any{"seats": seats}).Want(201).Into(&booking)
		return booking.ID
	}
	whatever := testkit.Header("If-Match", "*")

	event, full := slot(2, asItIs, tomorrow)
	taken := book(full, 2)
	raises(fault.AlreadyBooked, owner.Post(full+"/bookings", `{}`))
	raises(fault.SlotFull, other.Post(full+"/bookings", `{}`))
	raises(fault.SeatsExceedCapacity, other.Post(full+"/bookings", `{"seats": 3}`))
	raises(fault.InvalidTransition, owner.Post("/api/v1/bookings/"+taken.String()+"/decline", nil))
	raises(fault.CapacityBelowTaken, admin.Patch(full, `{"capacity": 1}`, whatever))
	raises(fault.EventHasBookings, admin.Delete(full, whatever))
	other.Post(full+"/bookings", `{"if_full": "waitlist"}`).Want(201)
	raises(fault.WaitlistInUse, admin.Patch("/api/v1/events/"+event.ID.String(), `{"waitlist_mode": "off"}`, whatever))

	_, large := slot(100, asItIs, tomorrow)
	raises(fault.BookingOverlap, owner.Post(large+"/bookings", `{}`))
	other.Post(large+"/holds", `{"seats": 20}`).Want(201)
	_, later := slot(1, asItIs, testkit.Times(48*time.Hour, 49*time.Hour))
	raises(fault.HoldLimit, other.Post(later+"/holds", `{}`))

	_, early := slot(1, func(e *db.Event) { e.BookingOpensAt = new(time.Now().Add(time.Hour)) }, tomorrow)
	raises(fault.BookingNotOpen, owner.Post(early+"/bookings", `{}`))
	_, soon := slot(1, func(e *db.Event) { e.CancellationClosesMinutes = 120 }, testkit.Times(time.Hour, 2*time.Hour))
	raises(fault.CancellationWindowClosed, owner.Post("/api/v1/bookings/"+book(soon, 1).String()+"/cancel", `{}`))

	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	with := map[string]bool{}
	for _, member := range spec.Components.Schemas["Problem"].Value.Properties {
		codes, _ := member.Value.Extensions["x-problems"].([]any)
		for _, code := range codes {
			with[code.(string)] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(raised)), slices.Sorted(maps.Keys(with)); !slices.Equal(got, want) {
		t.Errorf("raised %v, but those with members are %v", got, want)
	}
}
