//go:build unix

package server_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/seating"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// elsewhere is an attendee with seats at another organizer's event, at the time of
// slots of this one.
type elsewhere struct {
	*env
	event     db.Event
	owner     *testkit.Client
	admin     *testkit.Client
	foreignID uuid.UUID // of the booking at the other event
}

func newElsewhere(t *testing.T, h *env) elsewhere {
	e := elsewhere{env: h, event: testkit.Event(t, h.pool)}
	_, e.owner = h.user(access.Attendee)
	_, e.admin = h.user(access.Admin)
	var b api.Booking
	e.owner.Post("/api/v1/slots/"+testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID).ID.String()+"/bookings", `{}`).Want(201).Into(&b)
	e.foreignID = b.ID
	return e
}

// booking makes a booking of the attendee, in a status, in a new slot on another day. It
// names the foreign one as the one that it replaces. Paths of booking and slot.
func (e elsewhere) booking(status seating.Status) (booking, slot string) {
	e.t.Helper()
	s := testkit.Slot(e.t, e.pool, e.event.ID, testkit.Capacity(1), testkit.Times(48*time.Hour, 50*time.Hour))
	slot = "/api/v1/slots/" + s.ID.String()
	var b api.Booking
	switch status {
	case seating.Held:
		e.owner.Post(slot+"/holds", `{}`).Want(201).Into(&b)
	case seating.Waitlisted:
		_, other := e.user(access.Attendee)
		other.Post(slot+"/bookings", `{}`).Want(201)
		e.owner.Post(slot+"/bookings", `{"if_full":"waitlist"}`).Want(201).Into(&b)
	default:
		e.owner.Post(slot+"/bookings", `{}`).Want(201).Into(&b)
	}
	testkit.Exec(e.t, e.pool, `UPDATE bookings SET replaces_booking_id = $2, status = $3,
		expires_at = CASE WHEN $3 IN ('held', 'offered') THEN clock_timestamp() + interval '1 hour' END WHERE id = $1`, b.ID, e.foreignID, string(status))
	return "/api/v1/bookings/" + b.ID.String(), slot
}

// blocked makes the attendee wait at this event, blocked by the foreign booking.
func (e elsewhere) blocked() (booking, slot string) {
	e.t.Helper()
	s := testkit.Slot(e.t, e.pool, e.event.ID, testkit.Capacity(1))
	slot = "/api/v1/slots/" + s.ID.String()
	_, holder := e.user(access.Attendee)
	var first, b api.Booking
	holder.Post(slot+"/bookings", `{}`).Want(201).Into(&first)
	e.owner.Post(slot+"/bookings", `{"if_full":"waitlist"}`).Want(201).Into(&b)
	holder.Post("/api/v1/bookings/"+first.ID.String()+"/cancel", `{}`).Want(200)
	booking = "/api/v1/bookings/" + b.ID.String()
	e.admin.Post(slot+"/promote", nil).Want(200)
	return booking, slot
}

// asksFor are, by operation, requests whose answers show bookings or what hinders them,
// made for a new booking of the attendee. own says that its owner may ask too, and is
// then told the foreign id.
var asksFor = map[string]struct {
	own bool
	ask func(e elsewhere, c *testkit.Client) testkit.Answer
}{
	"getBooking": {true, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Confirmed)
		return c.Get(path).Want(200)
	}},
	"updateBooking": {true, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Waitlisted)
		return c.Patch(path, `{"seats":1}`).Want(200)
	}},
	"cancelBooking": {true, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Waitlisted)
		return twice(c, path+"/cancel", `{"reason":"As you asked."}`, 200)
	}},
	"confirmBooking": {true, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Held)
		return twice(c, path+"/confirm", nil, 200)
	}},
	"acceptOffer": {true, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Offered)
		return twice(c, path+"/accept", nil, 200)
	}},
	"declineOffer": {true, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Offered)
		return twice(c, path+"/decline", nil, 200)
	}},
	"checkInBooking": {false, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Confirmed)
		return twice(c, path+"/check-in", nil, 200)
	}},
	"undoCheckIn": {false, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Confirmed)
		return c.Delete(path + "/check-in").Want(200)
	}},
	"moveBooking": {true, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Confirmed)
		busy := testkit.Slot(e.t, e.pool, e.event.ID)
		answer := twice(c, path+"/move", map[string]any{"slot_id": busy.ID}, 409)
		answer.WantProblem(fault.BookingOverlap)
		return answer
	}},
	"listSlotBookings": {false, func(e elsewhere, c *testkit.Client) testkit.Answer {
		_, slot := e.booking(seating.Waitlisted)
		return c.Get(slot + "/bookings").Want(200)
	}},
	"listEventBookings": {false, func(e elsewhere, c *testkit.Client) testkit.Answer {
		e.booking(seating.Confirmed)
		return c.Get("/api/v1/events/" + e.event.ID.String() + "/bookings").Want(200)
	}},
	"getSlotWaitlist": {false, func(e elsewhere, c *testkit.Client) testkit.Answer {
		_, slot := e.blocked()
		return c.Get(slot + "/waitlist").Want(200)
	}},
	"getWaitlistPosition": {true, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.blocked()
		return c.Get(path + "/waitlist-position").Want(200)
	}},
	"promoteSlot": {false, func(e elsewhere, c *testkit.Client) testkit.Answer {
		_, slot := e.booking(seating.Waitlisted)
		e.owner.Post("/api/v1/bookings/"+e.foreignID.String()+"/cancel", `{}`).Want(200)
		e.admin.Patch(slot, `{"capacity":2}`, anyVersion).Want(200)
		var promotion api.Promotion
		answer := twice(c, slot+"/promote", nil, 200)
		if answer.Into(&promotion); len(promotion.Promoted) != 1 {
			e.t.Errorf("nobody was promoted: %s", answer.Body)
		}
		return answer
	}},
	"getSlotLedger": {false, func(e elsewhere, c *testkit.Client) testkit.Answer {
		_, slot := e.unblocked()
		return c.Get(slot + "/ledger").Want(200)
	}},
	"getBookingHistory": {false, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.unblocked()
		return c.Get(path + "/history").Want(200)
	}},
	"getBookingChain": {true, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.unblocked()
		return c.Get(path + "/chain").Want(200)
	}},
	"previewCancellation": {false, func(e elsewhere, c *testkit.Client) testkit.Answer {
		path, _ := e.booking(seating.Confirmed)
		return c.Get(path + "/cancellation-preview").Want(200)
	}},
}

// unblocked is a booking that waited until the foreign one ended.
func (e elsewhere) unblocked() (booking, slot string) {
	e.t.Helper()
	booking, slot = e.blocked()
	e.owner.Post("/api/v1/bookings/"+e.foreignID.String()+"/cancel", `{}`).Want(200)
	e.admin.Post(slot+"/promote", nil).Want(200)
	return booking, slot
}

// twice sends a request and its repetition with the same key, and returns the second
// answer, which is the first one's again.
func twice(c *testkit.Client, path string, body any, status int) testkit.Answer {
	key := testkit.Header("Idempotency-Key", uuid.NewString())
	c.Post(path, body, key).Want(status)
	return c.Post(path, body, key).Want(status)
}

// Only its owner learns the id of a booking at another event, whoever acts for them.
func TestOnlyTheOwnerIsToldOfBookingsElsewhere(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	for _, name := range slices.Sorted(maps.Keys(asksFor)) {
		op := asksFor[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h.in(t)
			for who, told := range map[string]bool{"organizer": false, "admin": false, "owner": true} {
				e := newElsewhere(t, h)
				client := map[string]*testkit.Client{
					"organizer": h.token(testkit.Caller(e.event.OrganizerID, access.Organizer)), "admin": e.admin, "owner": e.owner}[who]
				if who == "owner" && !op.own {
					continue
				}
				answer := op.ask(e, client)
				if got := strings.Contains(string(answer.Body), e.foreignID.String()); got != told {
					t.Errorf("the %s is told the id of the booking elsewhere: %t, want %t: %s", who, got, told, answer.Body)
				}
			}
		})
	}
}

// Every operation whose answers have ids of bookings is in asksFor, or is about the
// caller's own bookings only.
func TestEveryOperationThatShowsBookingsIsAskedFor(t *testing.T) {
	t.Parallel()
	own := []string{"createBooking", "createBookings", "createHold", "listMyBookings", "listConflicts"}
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range spec.Paths.Map() {
		for _, o := range item.Operations() {
			shows := false
			for status, response := range o.Responses.Map() {
				for _, media := range response.Value.Content {
					shows = shows || status < "400" && namesBookings(media.Schema, map[*openapi3.Schema]bool{})
				}
			}
			_, asked := asksFor[o.OperationID]
			if shows && !asked && !slices.Contains(own, o.OperationID) {
				t.Errorf("%s shows ids of bookings: say in asksFor how to ask for them", o.OperationID)
			}
		}
	}
}

// namesBookings says whether a schema has a property with an id of a booking.
func namesBookings(s *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) bool {
	if s == nil || seen[s.Value] {
		return false
	}
	seen[s.Value] = true
	for name, property := range s.Value.Properties {
		if strings.Contains(name, "booking_id") || name == "blocked_by" || namesBookings(property, seen) {
			return true
		}
	}
	return namesBookings(s.Value.Items, seen)
}
