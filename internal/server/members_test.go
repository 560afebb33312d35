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

// problemRaiser raises problems, and notes their codes.
type problemRaiser struct {
	*env
	admin, owner, other *testkit.Client
	raised              map[string]bool
}

// raises expects a problem in an answer.
func (r *problemRaiser) raises(code *fault.Code, answer testkit.Answer) {
	r.t.Helper()
	r.raised[code.Name] = true
	answer.WantProblem(code)
}

// slot inserts an event with one slot, and returns the slot's path.
func (r *problemRaiser) slot(seats int, times func(*seating.Slot), edits ...func(*db.Event)) (event db.Event, path string) {
	r.t.Helper()
	event = testkit.Event(r.t, r.pool, edits...)
	return event, "/api/v1/slots/" + testkit.Slot(r.t, r.pool, event.ID, testkit.Capacity(seats), times).ID.String()
}

// book books seats of a slot for the owner.
func (r *problemRaiser) book(path string, seats int) (id uuid.UUID) {
	r.t.Helper()
	var booking api.Booking
	r.owner.Post(path+"/bookings", map[string]any{"seats": seats}).Want(201).Into(&booking)
	return booking.ID
}

var (
	tomorrow   = testkit.Times(24*time.Hour, 25*time.Hour)
	anyVersion = testkit.Header("If-Match", "*")
)

// The test client checks that each problem has the members of its code.
func TestEveryProblemWithMembersIsRaisedWithThem(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	r := &problemRaiser{env: h, raised: map[string]bool{}}
	_, r.admin = h.user(access.Admin)
	_, r.owner = h.user(access.Attendee)
	_, r.other = h.user(access.Attendee)
	r.raiseProblemsOfAFullSlot()
	r.raiseProblemsOfTimes()

	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	withMembers := map[string]bool{}
	for _, member := range spec.Components.Schemas["Problem"].Value.Properties {
		codes, _ := member.Value.Extensions["x-problems"].([]any)
		for _, code := range codes {
			withMembers[code.(string)] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(r.raised)), slices.Sorted(maps.Keys(withMembers)); !slices.Equal(got, want) {
		t.Errorf("raised %v, but those with members are %v", got, want)
	}
}

func (r *problemRaiser) raiseProblemsOfAFullSlot() {
	event, full := r.slot(2, tomorrow)
	taken := r.book(full, 2)
	r.raises(fault.AlreadyBooked, r.owner.Post(full+"/bookings", `{}`))
	r.raises(fault.SlotFull, r.other.Post(full+"/bookings", `{}`))
	r.raises(fault.SeatsExceedCapacity, r.other.Post(full+"/bookings", `{"seats": 3}`))
	r.raises(fault.InvalidTransition, r.owner.Post("/api/v1/bookings/"+taken.String()+"/decline", nil))
	r.raises(fault.CapacityBelowTaken, r.admin.Patch(full, `{"capacity": 1}`, anyVersion))
	r.raises(fault.EventHasBookings, r.admin.Delete(full, anyVersion))
	r.other.Post(full+"/bookings", `{"if_full": "waitlist"}`).Want(201)
	r.raises(fault.WaitlistInUse, r.admin.Patch("/api/v1/events/"+event.ID.String(), `{"waitlist_mode": "off"}`, anyVersion))
}

// raiseProblemsOfTimes follows raiseProblemsOfAFullSlot, whose booking overlaps.
func (r *problemRaiser) raiseProblemsOfTimes() {
	_, large := r.slot(100, tomorrow)
	r.raises(fault.BookingOverlap, r.owner.Post(large+"/bookings", `{}`))
	r.other.Post(large+"/holds", `{"seats": 20}`).Want(201)
	_, later := r.slot(1, testkit.Times(48*time.Hour, 49*time.Hour))
	r.raises(fault.HoldLimit, r.other.Post(later+"/holds", `{}`))

	_, early := r.slot(1, tomorrow, func(e *db.Event) { e.BookingOpensAt = new(time.Now().Add(time.Hour)) })
	r.raises(fault.BookingNotOpen, r.owner.Post(early+"/bookings", `{}`))
	_, soon := r.slot(1, testkit.Times(time.Hour, 2*time.Hour), func(e *db.Event) { e.CancellationClosesMinutes = 120 })
	r.raises(fault.CancellationWindowClosed, r.owner.Post("/api/v1/bookings/"+r.book(soon, 1).String()+"/cancel", `{}`))
}
