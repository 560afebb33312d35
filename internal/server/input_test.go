//go:build unix

package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

const yearOne = `"0001-01-01T00:00:00Z"`

// What is sent counts, also if it is the zero value of its type: it is refused, or it
// does what it says.
func TestZeroValuesAreNotTakenForAbsent(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, admin := h.user(access.Admin)
	_, me := h.user(access.Attendee)
	event := testkit.Event(t, h.pool)
	slot := "/api/v1/slots/" + testkit.Slot(t, h.pool, event.ID).ID.String()
	events := "/api/v1/events"
	for _, body := range []string{
		`{"replaces_booking_id": "` + uuid.Nil.String() + `"}`, `{"seats": 0}`, `{"seats_min": 0}`, `{"if_full": ""}`,
	} {
		me.Post(slot+"/bookings", body, wrong).WantProblem(fault.ValidationFailed)
	}
	me.Post("/api/v1/bookings", `{"items": [{"slot_id": "`+uuid.Nil.String()+`"}]}`).WantProblem(fault.NotFound)
	admin.Post(slot+"/simulation", `{"until": `+yearOne+`}`).WantProblem(fault.InvalidTimeRange)
	for _, body := range []string{`{"cancellation_rate": 0}`, `{"seed": 0}`} {
		usual, asked := admin.Post(slot+"/simulation", `{}`), admin.Post(slot+"/simulation", body)
		if slices.Equal(usual.Body, asked.Body) {
			t.Errorf("%s is like nothing", body)
		}
	}
	for _, body := range []string{`{"starts_at": ` + yearOne + `}`, `{"ends_at": ` + yearOne + `}`} {
		admin.Patch(slot, body, anyVersion).WantProblem(fault.InvalidTimeRange)
	}
	for _, body := range []string{`{"booking_opens_at": ` + yearOne + `}`, `{"booking_closes_at": ` + yearOne + `}`} {
		admin.Patch(events+"/"+event.ID.String(), body, anyVersion).WantProblem(fault.InvalidTimeRange)
	}
	me.Post("/api/v1/me/tokens", `{"name": "N", "abilities": ["*"], "expires_at": `+yearOne+`}`).WantProblem(fault.InvalidTimeRange)
	h.Post("/api/v1/auth/login", `{"email": "a@b.cd", "password": "x", "abilities": []}`, wrong).WantProblem(fault.ValidationFailed)
	h.Post("/api/v1/auth/login", `{"email": "a@b.cd", "password": "x", "token_name": ""}`, wrong).WantProblem(fault.ValidationFailed)

	var created api.Event
	admin.Post(events, `{"title": "T", "time_zone": "UTC", "description": "", "location": "", "cancellation_closes_minutes": 0, "waitlist_limit": 0, "max_passes": 0}`).
		Want(http.StatusCreated).Into(&created)
	if limit, err := created.WaitlistLimit.Get(); err != nil || limit != 0 || created.MaxPasses != 0 {
		t.Errorf("the new event has %v and %d", created.WaitlistLimit, created.MaxPasses)
	}
	for query, want := range map[string]int{
		"organizer_id=" + uuid.Nil.String(): 0, "to=0001-01-01T00:00:00Z": 0, "from=0001-01-01T00:00:00Z": 1, "available=false": 0, "available=true": 1,
	} {
		var list api.EventList
		h.Get(events + "?" + query).Want(http.StatusOK).Into(&list)
		if len(list.Data) != want {
			t.Errorf("%s lists %d events, want %d", query, len(list.Data), want)
		}
	}
}

// Times are read in the same way wherever they are sent.
func TestOneRuleForTimes(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, organizer := h.user(access.Organizer)
	key := func() testkit.RequestOption { return testkit.Header("Idempotency-Key", testkit.ID().String()) }
	for _, text := range []string{"2027-01-01T18:00:00+24:00", "2027-01-01T18:00:00+23:60", "2027-01-01T18:00:00-24:00", "2027-01-01T1:00:00Z", "2027-01-01T18:00:00,5Z"} {
		h.Get("/api/v1/events?from="+url.QueryEscape(text), wrong).WantProblem(fault.InvalidParameters)
		h.Get("/api/v1/events?to="+url.QueryEscape(text), wrong).WantProblem(fault.InvalidParameters)
		organizer.Get("/api/v1/me/conflicts?ends_at=2028-01-01T00:00:00Z&starts_at="+url.QueryEscape(text), wrong).WantProblem(fault.InvalidParameters)
		organizer.Post("/api/v1/events", map[string]any{"title": "T", "time_zone": "UTC", "booking_opens_at": text}, key(), wrong).WantProblem(fault.ValidationFailed)
	}
	var created api.Event
	organizer.Post("/api/v1/events", `{"title": "T", "time_zone": "UTC", "booking_opens_at": "2027-01-01t00:30:00.1234567-23:59", "booking_closes_at": "2027-06-01T12:00:00.9999999+02:00"}`, key(), wrong).
		Want(http.StatusCreated).Into(&created)
	for name, at := range map[string]struct {
		got  interface{ Get() (time.Time, error) }
		want string
	}{
		"booking_opens_at":  {created.BookingOpensAt, "2027-01-02T00:29:00.123456Z"},
		"booking_closes_at": {created.BookingClosesAt, "2027-06-01T10:00:00.999999Z"},
	} {
		if got, err := at.got.Get(); err != nil || got.Format(time.RFC3339Nano) != at.want {
			t.Errorf("%s is %s, %v, want %s", name, got.Format(time.RFC3339Nano), err, at.want)
		}
	}
	var stored api.Event
	organizer.Get("/api/v1/events/" + created.ID.String()).Into(&stored)
	if a, b := asJSON(t, created), asJSON(t, stored); a != b {
		t.Errorf("answered %s\nstored %s", a, b)
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The same instant in other spellings is the same filter.
func TestACursorKnowsItsTimesInAnySpelling(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	for range 2 {
		testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	}
	var first api.EventList
	h.Get("/api/v1/events?limit=1&from=2020-01-01T02:00:00%2B02:00").Want(http.StatusOK).Into(&first)
	next, err := first.NextCursor.Get()
	if err != nil {
		t.Fatal(err)
	}
	h.Get("/api/v1/events?limit=1&from=2020-01-01T00:00:00.0Z&cursor=" + next).Want(http.StatusOK)
}

func TestOneRuleForParameters(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, me := h.user(access.Attendee)
	for i := range 3 {
		day := 24 * time.Hour * time.Duration(1+i)
		slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Times(day, day+time.Hour))
		me.Post("/api/v1/slots/"+slot.ID.String()+"/bookings", `{}`).Want(http.StatusCreated)
	}
	mine := "/api/v1/me/bookings?"
	for query, want := range map[string]int{
		"status=confirmed":                                    3,
		"status=waitlisted&status=confirmed":                  3,
		"status=waitlisted,confirmed":                         3,
		"status=waitlisted%2Cconfirmed":                       3,
		"status=waitlisted,held&limit=5&status=confirmed":     3,
		"status=confirmed&status=confirmed":                   3,
		"status=held&status=waitlisted":                       0,
		"status=held,offered,waitlisted,cancelled&limit=1":    0,
		"limit=2&status=waitlisted&when=all&status=confirmed": 2,
	} {
		var list api.BookingList
		me.Get(mine+query, wrong).Want(http.StatusOK).Into(&list)
		if len(list.Data) != want {
			t.Errorf("%s lists %d bookings, want %d", query, len(list.Data), want)
		}
	}
	for _, query := range []string{
		"status=", "status", "status=confirmed,", "status=,confirmed", "status=confirmed&status=", "status=&status=confirmed", "status=confirmed,,held",
		"status=confirmed;held", "status=confirmed%20", "status=Confirmed", "status[]=confirmed", "status=" + strings.Repeat("held,", 6) + "held",
		"limit=", "limit", "limit=&cursor=", "limit=%2B5", "limit=+5", "limit=05", "limit=5.0", "limit=1e1", "limit=0x5", "limit=5_0", "limit=-0", "limit=1&limit=1", "limit=1,2",
		"when=", "when=all,past", "when=all&when=all", "cursor=",
	} {
		me.Get(mine+query, wrong).WantProblem(fault.InvalidParameters)
	}
	for _, value := range []string{"", "1", "0", "t", "F", "TRUE", "True", "yes", "on", "true,false", "true%20"} {
		h.Get("/api/v1/events?available="+value, wrong).WantProblem(fault.InvalidParameters)
	}
	for _, query := range []string{"available", "available=true&available=true", "q=", "from=", "organizer_id=", "sort="} {
		h.Get("/api/v1/events?"+query, wrong).WantProblem(fault.InvalidParameters)
	}
}

// The next page's address repeats the filters as they were sent.
func TestLinksRepeatListsOfValues(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, me := h.user(access.Attendee)
	for i := range 2 {
		day := 24 * time.Hour * time.Duration(1+i)
		slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Times(day, day+time.Hour))
		me.Post("/api/v1/slots/"+slot.ID.String()+"/bookings", `{}`).Want(http.StatusCreated)
	}
	answer := me.Get("/api/v1/me/bookings?limit=1&status=held&status=confirmed", wrong).Want(http.StatusOK)
	link, _, _ := strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
	var list api.BookingList
	me.Get(link, wrong).Want(http.StatusOK).Into(&list)
	if len(list.Data) != 1 {
		t.Errorf("%s lists %d bookings", link, len(list.Data))
	}
}
