//go:build unix

package server_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/testkit"
)

// locations follows the Location of answers.
type locations struct {
	t        *testing.T
	followed map[string]bool
}

// follow gets what an operation says that it made, and returns its id.
func (l *locations) follow(operation string, by *testkit.Client, a testkit.Answer) (id string) {
	l.t.Helper()
	l.followed[operation] = true
	var made struct {
		ID   uuid.UUID
		User struct{ ID uuid.UUID }
	}
	a.Want(http.StatusCreated).Into(&made)
	if made.ID == uuid.Nil {
		made.ID = made.User.ID
	}
	var got struct{ ID uuid.UUID }
	by.Get(a.Header.Get("Location")).Want(http.StatusOK).Into(&got)
	if got.ID != made.ID {
		l.t.Errorf("%s: Location leads to %s, not to %s", operation, got.ID, made.ID)
	}
	return made.ID.String()
}

func TestEveryLocationLeadsToWhatWasMade(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	l := &locations{t, map[string]bool{}}
	_, organizer := h.user(access.Organizer)
	_, me := h.user(access.Attendee)
	event := l.follow("createEvent", organizer, organizer.Post("/api/v1/events", `{"title": "Concert", "time_zone": "UTC"}`))
	one, other := slotCreate(), slotCreate()
	other.StartsAt, other.EndsAt = other.StartsAt.AddDate(0, 0, 1), other.EndsAt.AddDate(0, 0, 1)
	first := l.follow("createSlot", organizer, organizer.Post("/api/v1/events/"+event+"/slots", one))
	second := l.follow("createSlot", organizer, organizer.Post("/api/v1/events/"+event+"/slots", other))
	organizer.Post("/api/v1/events/"+event+"/publish", nil).Want(http.StatusOK)
	booking := l.follow("createBooking", me, me.Post("/api/v1/slots/"+first+"/bookings", `{}`))
	l.follow("moveBooking", me, me.Post("/api/v1/bookings/"+booking+"/move", map[string]any{"slot_id": second}))
	l.follow("createHold", me, me.Post("/api/v1/slots/"+first+"/holds", `{}`))
	l.follow("createToken", me, me.Post("/api/v1/me/tokens", `{"name": "Phone", "abilities": ["me:read"]}`))
	var login struct{ Token string }
	registered := h.Post("/api/v1/auth/register", `{"email": "new@test.com", "name": "New", "password": "correct horse"}`)
	registered.Into(&login)
	l.follow("registerUser", h.As(login.Token), registered)
	if want := operationsWithHeader(t, "Location"); !slices.Equal(slices.Sorted(maps.Keys(l.followed)), want) {
		t.Errorf("followed those of %v, but %v have one", l.followed, want)
	}
	if root := h.plain("GET", "/", ""); root.Status != http.StatusFound || root.Header.Get("Location") != "/docs" {
		t.Errorf("/: %d %v", root.Status, root.Header)
	}
}

// operationsWithHeader returns the operations whose success has a header.
func operationsWithHeader(t *testing.T, name string) []string {
	t.Helper()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, item := range spec.Paths.Map() {
		for _, o := range item.Operations() {
			if _, success := successOf(o); success.Headers[name] != nil {
				all = append(all, o.OperationID)
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestAnswersSayWhoMayKeepThem(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	caller, me := h.user(access.Attendee)
	credentials := `{"email": "kept@test.com", "name": "Kept", "password": "correct horse"}`
	for name, c := range map[string]struct {
		answer testkit.Answer
		want   string
	}{
		"register":   {h.Post("/api/v1/auth/register", credentials), "no-store"},
		"a refusal":  {h.Post("/api/v1/auth/login", `{"email": "nobody@test.com", "password": "password"}`), "no-store"},
		"new token":  {me.Post("/api/v1/me/tokens", `{"name": "Phone", "abilities": ["me:read"]}`), "no-store"},
		"tokens":     {me.Get("/api/v1/me/tokens"), "no-store"},
		"a token":    {me.Get("/api/v1/me/tokens/" + h.issue(caller, account.NewSecret()).String()), "no-store"},
		"a user":     {me.Get("/api/v1/me"), "no-store"},
		"users":      {me.Get("/api/v1/users"), "no-store"},
		"bookings":   {me.Get("/api/v1/me/bookings"), "private, no-cache"},
		"public":     {h.Get("/api/v1/events"), "no-cache"},
		"no token":   {h.Get("/api/v1/me"), "no-store"},
		"no booking": {h.Get("/api/v1/me/bookings"), "no-cache"},
		"a document": {h.Get("/openapi.json"), "no-cache"},
	} {
		if got := c.answer.Header.Get("Cache-Control"); got != c.want {
			t.Errorf("%s of %s: Cache-Control: %s, want %s", name, caller.UserID, got, c.want)
		}
	}
	login := h.Post("/api/v1/auth/login", `{"email": "kept@test.com", "password": "correct horse"}`).Want(http.StatusOK)
	if got := login.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("login: Cache-Control: %s", got)
	}
}

func TestAnswersSayWhatTheyDependOn(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	for path, want := range map[string]string{
		"/api/v1/events": "Authorization", "/problems/slot_full": "Accept", "/problems/unknown": "Accept", "/livez": "",
	} {
		vary := h.Get(path).Header.Values("Vary")
		vary = slices.DeleteFunc(vary, func(v string) bool { return v == "Accept-Encoding" })
		if got := strings.Join(vary, ","); got != want {
			t.Errorf("%s: Vary: %q, want %q", path, got, want)
		}
	}
	refused := h.Get("/problems/slot_full", testkit.Header("Accept", "image/png")).Want(http.StatusNotAcceptable)
	if !slices.Contains(refused.Header.Values("Vary"), "Accept") {
		t.Errorf("Vary: %v", refused.Header.Values("Vary"))
	}
}

// Every operation with a body says in its 415 what it accepts, and OPTIONS says so of
// every PATCH.
func TestRefusedMediaTypesSayWhatIsAccepted(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	_, me := h.user(access.Admin)
	for template, item := range spec.Paths.Map() {
		path := strings.NewReplacer("{", "", "}", "").Replace(template)
		for _, name := range []string{"user_id", "token_id", "event_id", "slot_id", "booking_id"} {
			path = strings.ReplaceAll(path, name, testkit.ID().String())
		}
		for method, o := range item.Operations() {
			if o.RequestBody == nil {
				continue
			}
			types := strings.Join(slices.Sorted(maps.Keys(o.RequestBody.Value.Content)), ", ")
			a := me.Send(method, path, "x", testkit.OffContract, testkit.Header("Content-Type", "text/plain")).Want(http.StatusUnsupportedMediaType)
			if a.Header.Get("Accept") != types || method == http.MethodPatch && a.Header.Get("Accept-Patch") != types {
				t.Errorf("%s: %v", o.OperationID, a.Header)
			}
			encoded := me.Send(method, path, "{}", testkit.OffContract, testkit.Header("Content-Encoding", "gzip")).Want(http.StatusUnsupportedMediaType)
			if encoded.Header.Get("Accept-Encoding") != "identity" {
				t.Errorf("%s: %v", o.OperationID, encoded.Header)
			}
			if options := h.plain(http.MethodOptions, path, ""); method == http.MethodPatch && options.Header.Get("Accept-Patch") != types {
				t.Errorf("OPTIONS %s: %d %v", template, options.Status, options.Header)
			}
		}
	}
}
