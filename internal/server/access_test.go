//go:build unix

package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/desk"
	"eventbooking/internal/seating"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// fixture is what the requests of the table below are about.
type fixture struct {
	attendee, organizer access.Caller
	// token is another token of the attendee.
	token uuid.UUID
	// draft and event are the organizer's.
	draft, event db.Event
	// booked has the attendee's booking; free has none.
	booked, free seating.Slot
	booking      seating.Booking
}

func (s fixture) events(rest string) string { return "/api/v1/events/" + s.event.ID.String() + rest }
func (s fixture) drafts(rest string) string { return "/api/v1/events/" + s.draft.ID.String() + rest }
func (s fixture) slots(rest string) string  { return "/api/v1/slots/" + s.booked.ID.String() + rest }
func (s fixture) frees(rest string) string  { return "/api/v1/slots/" + s.free.ID.String() + rest }
func (s fixture) bookings(rest string) string {
	return "/api/v1/bookings/" + s.booking.ID.String() + rest
}

// What a caller gets: success, or the code of one of these refusals.
const (
	ok           = "ok"
	noToken      = "token_missing"
	noAbility    = "ability_missing"
	notPermitted = "not_permitted"
	notFound     = "not_found"
)

// row has the result for each caller: without a token, the attendee with the booking,
// another attendee, the organizer of the event, another organizer, an administrator,
// and an administrator whose token lacks the ability.
type row [7]string

var (
	everybody  = row{ok, ok, ok, ok, ok, ok, ok}
	anyToken   = row{noToken, ok, ok, ok, ok, ok, ok}
	oneself    = row{noToken, ok, ok, ok, ok, ok, noAbility}
	leaving    = row{noToken, ok, ok, "organizer_has_events", ok, ok, noAbility}
	admins     = row{noToken, notPermitted, notPermitted, notPermitted, notPermitted, ok, noAbility}
	organizers = row{noToken, notPermitted, notPermitted, ok, ok, ok, noAbility}
	managers   = row{noToken, notPermitted, notPermitted, ok, notPermitted, ok, noAbility}
	// A draft does not exist for those who do not manage it.
	draftManagers = row{noToken, notPermitted, notPermitted, ok, notFound, ok, noAbility}
	draftReaders  = row{notFound, notFound, notFound, ok, notFound, ok, notFound}
	// A booking is visible to its attendee and to those who manage the event.
	bookingParties = row{noToken, ok, notFound, ok, notFound, ok, noAbility}
	// There is no offer to answer.
	answerers    = row{noToken, "invalid_transition", notFound, "invalid_transition", notFound, "invalid_transition", noAbility}
	checkInStaff = row{noToken, notPermitted, notPermitted, ok, notFound, ok, noAbility}
	// The current password is wrong.
	wrongPassword = row{noToken, "validation_failed", "validation_failed", "validation_failed", "validation_failed", "validation_failed", noAbility}
)

// permissions has the results of every operation for all callers.
var permissions = map[string]struct {
	want row
	ask  func(c *testkit.Client, s fixture) testkit.Answer
}{
	"registerUser": {everybody, func(c *testkit.Client, _ fixture) testkit.Answer {
		return c.Post("/api/v1/auth/register", api.UserCreate{Email: testkit.ID().String() + "@test.com", Name: "New", Password: testkit.Password})
	}},
	"loginUser": {row{"invalid_credentials", "invalid_credentials", "invalid_credentials", "invalid_credentials", "invalid_credentials", "invalid_credentials", "invalid_credentials"},
		func(c *testkit.Client, s fixture) testkit.Answer {
			return c.Post("/api/v1/auth/login", api.Credentials{Email: s.attendee.UserID.String() + "@test.com", Password: "guess"})
		}},
	"logoutUser": {anyToken, post("/api/v1/auth/logout", nil)},

	"listUsers": {admins, get("/api/v1/users")},
	"getUser": {admins, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Get("/api/v1/users/" + s.attendee.UserID.String())
	}},
	"updateUser": {admins, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Patch("/api/v1/users/"+s.attendee.UserID.String(), `{"role": "organizer"}`)
	}},

	"getMe": {oneself, get("/api/v1/me")},
	"updateMe": {oneself, func(c *testkit.Client, _ fixture) testkit.Answer {
		return c.Patch("/api/v1/me", `{"name": "New Name"}`)
	}},
	"deleteMe":       {leaving, post("/api/v1/me/deletion", leave)},
	"listTokens":     {oneself, get("/api/v1/me/tokens")},
	"createToken":    {oneself, post("/api/v1/me/tokens", `{"name": "Phone", "abilities": ["me:read"]}`)},
	"listMyBookings": {oneself, get("/api/v1/me/bookings")},
	"listConflicts":  {oneself, get("/api/v1/me/conflicts?starts_at=2026-12-01T18:00:00Z&ends_at=2026-12-01T20:00:00Z")},
	"changePassword": {wrongPassword, func(c *testkit.Client, _ fixture) testkit.Answer {
		return c.Put("/api/v1/me/password", `{"current_password": "guess", "new_password": "battery staple"}`)
	}},
	"getToken": {row{noToken, ok, notFound, notFound, notFound, notFound, noAbility}, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Get("/api/v1/me/tokens/" + s.token.String())
	}},
	"deleteToken": {row{noToken, ok, notFound, notFound, notFound, notFound, noAbility}, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Delete("/api/v1/me/tokens/" + s.token.String())
	}},

	"listEvents":  {everybody, get("/api/v1/events")},
	"createEvent": {organizers, post("/api/v1/events", `{"title": "Concert", "time_zone": "UTC"}`)},
	"getEvent":    {everybody, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.events("")) }},
	"getEvent of a draft": {draftReaders, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Get(s.drafts(""))
	}},
	"updateEvent": {managers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Patch(s.events(""), `{"title": "New"}`, testkit.Header("If-Match", "*"))
	}},
	"updateEvent of a draft": {draftManagers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Patch(s.drafts(""), `{"title": "New"}`, testkit.Header("If-Match", "*"))
	}},
	"deleteEvent": {draftManagers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Delete(s.drafts(""), testkit.Header("If-Match", "*"))
	}},
	"publishEvent": {draftManagers, func(c *testkit.Client, s fixture) testkit.Answer { return c.Post(s.drafts("/publish"), nil) }},
	"cancelEvent": {managers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Post(s.events("/cancel"), `{"reason": "rain"}`)
	}},
	"listSlots": {everybody, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.events("/slots")) }},
	"listSlots of a draft": {draftReaders, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Get(s.drafts("/slots"))
	}},
	"createSlot": {managers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Post(s.events("/slots"), slotCreate())
	}},
	"createSlot of a draft": {draftManagers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Post(s.drafts("/slots"), slotCreate())
	}},
	"listEventBookings": {managers, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.events("/bookings")) }},
	"listEventBookings of a draft": {draftManagers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Get(s.drafts("/bookings"))
	}},

	"getSlot": {everybody, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.slots("")) }},
	"updateSlot": {managers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Patch(s.slots(""), `{"capacity": 20}`, testkit.Header("If-Match", "*"))
	}},
	"deleteSlot": {managers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Delete(s.frees(""), testkit.Header("If-Match", "*"))
	}},
	"cancelSlot": {managers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Post(s.slots("/cancel"), `{"reason": "rain"}`)
	}},
	"getSlotLedger":    {managers, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.slots("/ledger")) }},
	"listSlotBookings": {managers, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.slots("/bookings")) }},

	"createBooking": {oneself, func(c *testkit.Client, s fixture) testkit.Answer { return c.Post(s.frees("/bookings"), `{}`) }},
	"getBooking":    {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.bookings("")) }},
	"cancelBooking": {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Post(s.bookings("/cancel"), `{"reason": "ill"}`)
	}},
	"createHold": {oneself, func(c *testkit.Client, s fixture) testkit.Answer { return c.Post(s.frees("/holds"), `{}`) }},
	"createBookings": {oneself, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Post("/api/v1/bookings", `{"items": [{"slot_id": "`+s.free.ID.String()+`"}]}`)
	}},
	"confirmBooking": {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer { return c.Post(s.bookings("/confirm"), nil) }},
	"updateBooking":  {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer { return c.Patch(s.bookings(""), `{"seats": 1}`) }},
	"moveBooking": {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Post(s.bookings("/move"), `{"slot_id": "`+s.free.ID.String()+`"}`)
	}},
	"previewCancellation": {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.bookings("/cancellation-preview")) }},
	"checkInBooking":      {checkInStaff, func(c *testkit.Client, s fixture) testkit.Answer { return c.Post(s.bookings("/check-in"), nil) }},
	"undoCheckIn":         {checkInStaff, func(c *testkit.Client, s fixture) testkit.Answer { return c.Delete(s.bookings("/check-in")) }},
	"getBookingHistory":   {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.bookings("/history")) }},
	"getBookingChain":     {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.bookings("/chain")) }},

	"getWaitlistPosition": {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.bookings("/waitlist-position")) }},
	"getSlotWaitlist":     {managers, func(c *testkit.Client, s fixture) testkit.Answer { return c.Get(s.slots("/waitlist")) }},
	"acceptOffer":         {bookingParties, func(c *testkit.Client, s fixture) testkit.Answer { return c.Post(s.bookings("/accept"), nil) }},
	"declineOffer":        {answerers, func(c *testkit.Client, s fixture) testkit.Answer { return c.Post(s.bookings("/decline"), nil) }},
	"simulateSlot": {managers, func(c *testkit.Client, s fixture) testkit.Answer {
		return c.Post(s.slots("/simulation"), `{"runs": 1}`)
	}},
	"promoteSlot": {managers, func(c *testkit.Client, s fixture) testkit.Answer { return c.Post(s.slots("/promote"), nil) }},

	"getLiveness":  {everybody, get("/livez")},
	"getReadiness": {everybody, get("/readyz")},
	"getSpecYaml":  {everybody, get("/openapi.yaml")},
	"getSpecJson":  {everybody, get("/openapi.json")},
	"getDocs":      {everybody, get("/docs")},
	"getProblem":   {everybody, get("/problems/slot_full")},
}

func get(path string) func(*testkit.Client, fixture) testkit.Answer {
	return func(c *testkit.Client, _ fixture) testkit.Answer { return c.Get(path) }
}

func post(path string, body any) func(*testkit.Client, fixture) testkit.Answer {
	return func(c *testkit.Client, _ fixture) testkit.Answer { return c.Post(path, body) }
}

func slotCreate() api.SlotCreate {
	starts := time.Now().Add(100 * time.Hour).UTC().Truncate(time.Second)
	return api.SlotCreate{StartsAt: starts, EndsAt: starts.Add(time.Hour), Capacity: 5}
}

// Each request gets a new fixture.
func TestEveryOperationAllowsExactlyTheCallersOfTheTable(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	desk := testkit.Desk(t, h.pool)
	testkit.User(t, h.pool, access.Admin) // so that no other administrator is the last one
	names := []string{"a caller without a token", "the attendee", "another attendee", "the organizer", "another organizer", "an administrator", "a token without the ability"}
	for operation, c := range permissions {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			h := h.in(t)
			for i, want := range c.want {
				s := h.newFixture(desk)
				answer := c.ask(h.callers(s, operation)[i](), s)
				got := ok
				if answer.Status >= http.StatusBadRequest {
					var p api.Problem
					answer.Into(&p)
					got = string(p.Code)
				}
				if got != want {
					t.Errorf("%s gets %s, want %s\n%s", names[i], got, want, answer.Body)
				}
			}
		})
	}
}

func TestTheAccessTableHasEveryOperation(t *testing.T) {
	t.Parallel()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, item := range spec.Paths.Map() {
		for _, o := range item.Operations() {
			known[o.OperationID] = true
			if _, found := permissions[o.OperationID]; !found {
				t.Errorf("%s is not in the table", o.OperationID)
			}
		}
	}
	for name := range permissions {
		if id, _, _ := strings.Cut(name, " "); !known[id] {
			t.Errorf("%s is not in the contract", id)
		}
	}
}

func (h *env) newFixture(desk *desk.Desk) fixture {
	h.t.Helper()
	s := fixture{attendee: testkit.User(h.t, h.pool, access.Attendee), organizer: testkit.User(h.t, h.pool, access.Organizer)}
	s.token = h.issue(s.attendee, account.NewSecret())
	mine := func(e *db.Event) { e.OrganizerID = s.organizer.UserID }
	s.event = testkit.Event(h.t, h.pool, mine)
	s.draft = testkit.Event(h.t, h.pool, mine, func(e *db.Event) { e.Status, e.PublishedAt = string(seating.EventDraft), nil })
	testkit.Slot(h.t, h.pool, s.draft.ID) // without a slot it could not be published
	s.booked = testkit.Slot(h.t, h.pool, s.event.ID)
	s.free = testkit.Slot(h.t, h.pool, s.event.ID, testkit.Times(48*time.Hour, 50*time.Hour))
	s.booking = testkit.Book(h.t, desk, s.booked.ID, s.attendee.UserID, 1)
	return s
}

// callers returns a function for each column of the table that creates its client.
func (h *env) callers(s fixture, operation string) []func() *testkit.Client {
	other := func(role access.Role, abilities ...string) func() *testkit.Client {
		return func() *testkit.Client { return h.token(testkit.User(h.t, h.pool, role), abilities...) }
	}
	weak := "me:read"
	if operation == "getMe" || operation == "listTokens" || operation == "getToken" {
		weak = "me:write"
	}
	return []func() *testkit.Client{
		func() *testkit.Client { return h.Client },
		func() *testkit.Client { return h.token(s.attendee) },
		other(access.Attendee),
		func() *testkit.Client { return h.token(s.organizer) },
		other(access.Organizer),
		other(access.Admin),
		other(access.Admin, weak),
	}
}
