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

// scene is what callers ask for in the table below: things of an attendee and of
// an organizer, in which somebody may have a part.
type scene struct {
	attendee, organizer access.Caller
	// token is one more of the attendee's.
	token uuid.UUID
	draft db.Event
	event db.Event
	// booked has the attendee's booking, free has none.
	booked, free seating.Slot
	booking      seating.Booking
}

func (s scene) events(rest string) string { return "/api/v1/events/" + s.event.ID.String() + rest }
func (s scene) drafts(rest string) string { return "/api/v1/events/" + s.draft.ID.String() + rest }
func (s scene) slots(rest string) string  { return "/api/v1/slots/" + s.booked.ID.String() + rest }
func (s scene) frees(rest string) string  { return "/api/v1/slots/" + s.free.ID.String() + rest }
func (s scene) bookings(rest string) string {
	return "/api/v1/bookings/" + s.booking.ID.String() + rest
}

// What a caller gets: the thing, or one of these refusals.
const (
	ok      = "ok"
	missing = "token_missing"
	ability = "ability_missing"
	denied  = "not_permitted"
	unseen  = "not_found"
)

// Who asks: nobody, the attendee whose booking it is, another attendee, the
// organizer whose event it is, another organizer, an administrator, and an
// administrator with a token that is for something else.
type row [7]string

var (
	everybody  = row{ok, ok, ok, ok, ok, ok, ok}
	anyToken   = row{missing, ok, ok, ok, ok, ok, ok}
	oneself    = row{missing, ok, ok, ok, ok, ok, ability}
	admins     = row{missing, denied, denied, denied, denied, ok, ability}
	organizers = row{missing, denied, denied, ok, ok, ok, ability}
	managers   = row{missing, denied, denied, ok, denied, ok, ability}
	// A draft is nothing to those who do not manage it.
	draftManagers = row{missing, denied, denied, ok, unseen, ok, ability}
	draftReaders  = row{unseen, unseen, unseen, ok, unseen, ok, unseen}
	// A booking is its attendee's, and the event's managers'.
	bookingParties = row{missing, ok, unseen, ok, unseen, ok, ability}
	// Answering an offer that was never made is refused to those who might.
	answerers = row{missing, "invalid_transition", unseen, "invalid_transition", unseen, "invalid_transition", ability}
	// Checking in is for those who run the event.
	doorkeepers = row{missing, denied, denied, ok, unseen, ok, ability}
	// Nobody knows the password of the users here.
	guessers = row{missing, "validation_failed", "validation_failed", "validation_failed", "validation_failed", "validation_failed", ability}
)

// permissions is who may do what: every operation, asked by everybody.
var permissions = map[string]struct {
	want row
	ask  func(c *testkit.Client, s scene) testkit.Answer
}{
	"registerUser": {everybody, func(c *testkit.Client, _ scene) testkit.Answer {
		return c.Post("/api/v1/auth/register", api.UserCreate{Email: testkit.ID().String() + "@test.com", Name: "New", Password: "password"})
	}},
	"loginUser": {row{"invalid_credentials", "invalid_credentials", "invalid_credentials", "invalid_credentials", "invalid_credentials", "invalid_credentials", "invalid_credentials"},
		func(c *testkit.Client, s scene) testkit.Answer {
			return c.Post("/api/v1/auth/login", api.Credentials{Email: s.attendee.UserID.String() + "@test.com", Password: "guess"})
		}},
	"logoutUser": {anyToken, post("/api/v1/auth/logout", nil)},

	"listUsers": {admins, get("/api/v1/users")},
	"updateUser": {admins, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Patch("/api/v1/users/"+s.attendee.UserID.String(), `{"role": "organizer"}`)
	}},

	"getMe":          {oneself, get("/api/v1/me")},
	"updateMe":       {oneself, func(c *testkit.Client, _ scene) testkit.Answer { return c.Patch("/api/v1/me", `{"name": "New Name"}`) }},
	"deleteMe":       {oneself, func(c *testkit.Client, _ scene) testkit.Answer { return c.Delete("/api/v1/me") }},
	"listTokens":     {oneself, get("/api/v1/me/tokens")},
	"createToken":    {oneself, post("/api/v1/me/tokens", `{"name": "Phone", "abilities": ["me:read"]}`)},
	"listMyBookings": {oneself, get("/api/v1/me/bookings")},
	"listConflicts":  {oneself, get("/api/v1/me/conflicts?starts_at=2026-12-01T18:00:00Z&ends_at=2026-12-01T20:00:00Z")},
	"changePassword": {guessers, func(c *testkit.Client, _ scene) testkit.Answer {
		return c.Put("/api/v1/me/password", `{"current_password": "guess", "new_password": "password"}`)
	}},
	"deleteToken": {row{missing, ok, unseen, unseen, unseen, unseen, ability}, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Delete("/api/v1/me/tokens/" + s.token.String())
	}},

	"listEvents":  {everybody, get("/api/v1/events")},
	"createEvent": {organizers, post("/api/v1/events", `{"title": "Concert", "time_zone": "UTC"}`)},
	"getEvent":    {everybody, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.events("")) }},
	"getEvent of a draft": {draftReaders, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Get(s.drafts(""))
	}},
	"updateEvent": {managers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Patch(s.events(""), `{"title": "New"}`, testkit.Header("If-Match", "*"))
	}},
	"updateEvent of a draft": {draftManagers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Patch(s.drafts(""), `{"title": "New"}`, testkit.Header("If-Match", "*"))
	}},
	"deleteEvent": {draftManagers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Delete(s.drafts(""), testkit.Header("If-Match", "*"))
	}},
	"publishEvent": {draftManagers, func(c *testkit.Client, s scene) testkit.Answer { return c.Post(s.drafts("/publish"), nil) }},
	"cancelEvent": {managers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Post(s.events("/cancel"), `{"reason": "rain"}`)
	}},
	"listSlots": {everybody, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.events("/slots")) }},
	"listSlots of a draft": {draftReaders, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Get(s.drafts("/slots"))
	}},
	"createSlot": {managers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Post(s.events("/slots"), slotCreate())
	}},
	"createSlot of a draft": {draftManagers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Post(s.drafts("/slots"), slotCreate())
	}},
	"listEventBookings": {managers, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.events("/bookings")) }},
	"listEventBookings of a draft": {draftManagers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Get(s.drafts("/bookings"))
	}},

	"getSlot": {everybody, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.slots("")) }},
	"updateSlot": {managers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Patch(s.slots(""), `{"capacity": 20}`, testkit.Header("If-Match", "*"))
	}},
	"deleteSlot": {managers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Delete(s.frees(""), testkit.Header("If-Match", "*"))
	}},
	"cancelSlot": {managers, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Post(s.slots("/cancel"), `{"reason": "rain"}`)
	}},
	"getSlotLedger":    {managers, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.slots("/ledger")) }},
	"listSlotBookings": {managers, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.slots("/bookings")) }},

	"createBooking": {oneself, func(c *testkit.Client, s scene) testkit.Answer { return c.Post(s.frees("/bookings"), `{}`) }},
	"getBooking":    {bookingParties, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.bookings("")) }},
	"cancelBooking": {bookingParties, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Post(s.bookings("/cancel"), `{"reason": "ill"}`)
	}},
	"createHold": {oneself, func(c *testkit.Client, s scene) testkit.Answer { return c.Post(s.frees("/holds"), `{}`) }},
	"createBookings": {oneself, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Post("/api/v1/bookings", `{"items": [{"slot_id": "`+s.free.ID.String()+`"}]}`)
	}},
	"confirmBooking": {bookingParties, func(c *testkit.Client, s scene) testkit.Answer { return c.Post(s.bookings("/confirm"), nil) }},
	"updateBooking":  {bookingParties, func(c *testkit.Client, s scene) testkit.Answer { return c.Patch(s.bookings(""), `{"seats": 1}`) }},
	"moveBooking": {bookingParties, func(c *testkit.Client, s scene) testkit.Answer {
		return c.Post(s.bookings("/move"), `{"slot_id": "`+s.free.ID.String()+`"}`)
	}},
	"previewCancellation": {bookingParties, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.bookings("/cancellation-preview")) }},
	"checkInBooking":      {doorkeepers, func(c *testkit.Client, s scene) testkit.Answer { return c.Post(s.bookings("/check-in"), nil) }},
	"undoCheckIn":         {doorkeepers, func(c *testkit.Client, s scene) testkit.Answer { return c.Delete(s.bookings("/check-in")) }},
	"getBookingHistory":   {bookingParties, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.bookings("/history")) }},
	"getBookingChain":     {bookingParties, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.bookings("/chain")) }},

	"getWaitlistPosition": {bookingParties, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.bookings("/waitlist-position")) }},
	"getSlotWaitlist":     {managers, func(c *testkit.Client, s scene) testkit.Answer { return c.Get(s.slots("/waitlist")) }},
	"acceptOffer":         {bookingParties, func(c *testkit.Client, s scene) testkit.Answer { return c.Post(s.bookings("/accept"), nil) }},
	"declineOffer":        {answerers, func(c *testkit.Client, s scene) testkit.Answer { return c.Post(s.bookings("/decline"), nil) }},
	"simulateSlot":        {managers, func(c *testkit.Client, s scene) testkit.Answer { return c.Post(s.slots("/simulation"), `{"runs": 1}`) }},
	"promoteSlot":         {managers, func(c *testkit.Client, s scene) testkit.Answer { return c.Post(s.slots("/promote"), nil) }},

	"getLiveness":  {everybody, get("/livez")},
	"getReadiness": {everybody, get("/readyz")},
	"getSpecYaml":  {everybody, get("/openapi.yaml")},
	"getSpecJson":  {everybody, get("/openapi.json")},
	"getDocs":      {everybody, get("/docs")},
	"getProblem":   {everybody, get("/problems/slot_full")},
}

func get(path string) func(*testkit.Client, scene) testkit.Answer {
	return func(c *testkit.Client, _ scene) testkit.Answer { return c.Get(path) }
}

func post(path string, body any) func(*testkit.Client, scene) testkit.Answer {
	return func(c *testkit.Client, _ scene) testkit.Answer { return c.Post(path, body) }
}

func slotCreate() api.SlotCreate {
	starts := time.Now().Add(100 * time.Hour).UTC().Truncate(time.Second)
	return api.SlotCreate{StartsAt: starts, EndsAt: starts.Add(time.Hour), Capacity: 5}
}

// Everybody asks for everything, each time of things that nobody has touched.
func TestAccess(t *testing.T) {
	t.Parallel()
	h := openHouse(t, func(c *server.Config) { c.Workers = false })
	desk := testkit.Desk(t, h.pool)
	h.Post("/api/v1/auth/register", api.UserCreate{Email: "secretive@test.com", Name: "Secretive", Password: testkit.ID().String()}).Want(http.StatusCreated)
	names := []string{"nobody", "the attendee", "another attendee", "the organizer", "another organizer", "an administrator", "a token for something else"}
	for operation, c := range permissions {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			h := h.in(t)
			for i, want := range c.want {
				s := h.scene(desk)
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

// The table has every operation of the contract.
func TestAccessIsComplete(t *testing.T) {
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

// secretive is a new user with a password that nobody knows.
func (h *env) secretive(role access.Role) access.Caller {
	h.t.Helper()
	caller := testkit.User(h.t, h.pool, role)
	testkit.Exec(h.t, h.pool, "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE email = 'secretive@test.com') WHERE id = $1",
		caller.UserID)
	return caller
}

func (h *env) scene(desk *desk.Desk) scene {
	h.t.Helper()
	s := scene{attendee: h.secretive(access.Attendee), organizer: h.secretive(access.Organizer)}
	s.token = h.issue(s.attendee, account.NewSecret())
	mine := func(e *db.Event) { e.OrganizerID = s.organizer.UserID }
	s.event = testkit.Event(h.t, h.pool, mine)
	s.draft = testkit.Event(h.t, h.pool, mine, func(e *db.Event) { e.Status, e.PublishedAt = string(seating.EventDraft), nil })
	s.booked = testkit.Slot(h.t, h.pool, s.event.ID)
	s.free = testkit.Slot(h.t, h.pool, s.event.ID, testkit.Times(48*time.Hour, 50*time.Hour))
	s.booking = testkit.Book(h.t, desk, s.booked.ID, s.attendee.UserID, 1)
	return s
}

// callers are the columns of the table, made when they are needed.
func (h *env) callers(s scene, operation string) []func() *testkit.Client {
	other := func(role access.Role, abilities ...string) func() *testkit.Client {
		return func() *testkit.Client { return h.token(h.secretive(role), abilities...) }
	}
	weak := "me:read"
	if operation == "getMe" || operation == "listTokens" {
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
