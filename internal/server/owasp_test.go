//go:build unix

package server_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/limit"
	"eventbooking/internal/seating"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// The OWASP API Security Top 10 of 2023, one test each. docs/security.md says what else
// holds each risk.

// ofOthers are operations that say nothing of others although an id leads to what is
// theirs: what they show is public, or the caller's own.
var ofOthers = []string{"getEvent", "listSlots", "getSlot", "createBooking", "createHold", "getProblem"}

// That the table holds is tried for each operation by
// TestEveryOperationAllowsExactlyTheCallersOfTheTable; ids in bodies are tried here.
func TestAPI1BrokenObjectLevelAuthorization(t *testing.T) {
	t.Parallel()
	const anotherAttendee, anotherOrganizer = 2, 4
	for path, item := range contractOf(t).Paths.Map() {
		for _, o := range item.Operations() {
			want := permissions[o.OperationID].want
			refused := want[anotherAttendee] != ok && want[anotherOrganizer] != ok
			if strings.Contains(path, "{") && !refused && !slices.Contains(ofOthers, o.OperationID) {
				t.Errorf("%s: others get %s and %s", o.OperationID, want[anotherAttendee], want[anotherOrganizer])
			}
		}
	}
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	_, owner := h.user(access.Attendee)
	_, stranger := h.user(access.Attendee)
	event := testkit.Event(t, h.pool)
	slots := "/api/v1/slots/"
	first := slots + testkit.Slot(t, h.pool, event.ID).ID.String()
	later := slots + testkit.Slot(t, h.pool, event.ID, testkit.Times(48*time.Hour, 50*time.Hour)).ID.String()
	draft := testkit.Event(t, h.pool, func(e *db.Event) { e.Status, e.PublishedAt = string(seating.EventDraft), nil })
	hidden := testkit.Slot(t, h.pool, draft.ID).ID
	key := testkit.Header("Idempotency-Key", uuid.NewString())
	var theirs, own api.Booking
	owner.Post(first+"/bookings", `{}`, key).Want(http.StatusCreated).Into(&theirs)
	stranger.Post(later+"/bookings", `{}`, key).Want(http.StatusCreated).Into(&own) // the key is another one
	if own.UserID == theirs.UserID {
		t.Error("a key answers with the booking of another user")
	}
	stranger.Post(later+"/bookings", map[string]any{"if_full": "waitlist", "replaces_booking_id": theirs.ID}).WantProblem(fault.ValidationFailed)
	stranger.Post("/api/v1/bookings/"+own.ID.String()+"/move", map[string]any{"slot_id": hidden}).WantProblem(fault.ValidationFailed)
	stranger.Post("/api/v1/bookings", map[string]any{"items": []any{map[string]any{"slot_id": hidden}}}).WantProblem(fault.NotFound)
	var page struct {
		NextCursor *string `json:"next_cursor"`
	}
	owner.Post(later+"/bookings", `{}`).Want(http.StatusCreated)
	owner.Get("/api/v1/me/bookings?limit=1").Want(http.StatusOK).Into(&page)
	if page.NextCursor == nil {
		t.Fatal("there is no second page")
	}
	if rest := stranger.Get("/api/v1/me/bookings?limit=1&cursor="+*page.NextCursor, testkit.OffContract); strings.Contains(string(rest.Body), theirs.UserID.String()) {
		t.Errorf("a cursor leads to the bookings of another user: %s", rest.Body)
	}
	owner.Get("/api/v1/bookings/" + theirs.ID.String()).Want(http.StatusOK).Into(&theirs)
	if theirs.Status != api.BookingStatusConfirmed {
		t.Errorf("the booking of another user is %s", theirs.Status)
	}
}

func TestAPI2BrokenAuthentication(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	caller, secret := testkit.User(t, h.pool, access.Attendee), account.NewSecret()
	id := h.issue(caller, secret)
	sent := string(secret)
	h.As(sent).Get("/api/v1/me").Want(http.StatusOK)
	for what, header := range map[string]string{
		"the beginning": "Bearer " + sent[:len(sent)-1], "more": "Bearer " + sent + "x", "other letters": "Bearer " + strings.ToUpper(sent), "its id": "Bearer " + id.String(),
		"its hash": fmt.Sprintf("Bearer %x", secret.Hash()), "another scheme": "Basic " + sent, "no scheme": sent, "nothing": "Bearer ", "SQL": "Bearer ' OR 1=1 --", "two": "Bearer " + sent + ", Bearer " + sent,
	} {
		if a := h.plain("GET", "/api/v1/me", "", "Authorization", header); a.Status != http.StatusUnauthorized || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
	for _, path := range []string{"/api/v1/me?token=" + sent, "/api/v1/me?access_token=" + sent} {
		if a := h.plain("GET", path, ""); a.Status != http.StatusUnauthorized {
			t.Errorf("a token in the query: %d", a.Status)
		}
	}
	if a := h.plain("GET", "/api/v1/me", "", "Cookie", "token="+sent); a.Status != http.StatusUnauthorized {
		t.Errorf("a token in a cookie: %d", a.Status)
	}
	var stored int
	if err := h.pool.QueryRow(t.Context(), "SELECT count(*) FROM tokens t, users u WHERE t::text LIKE '%' || $1 || '%' OR u.password_hash LIKE '%correct horse%'", sent).Scan(&stored); err != nil || stored != 0 {
		t.Errorf("%d secrets are stored as they are, %v", stored, err)
	}
	h.Post("/api/v1/auth/register", `{"email": "me@test.com", "name": "Me", "password": "correct horse battery"}`).Want(http.StatusCreated)
	unknown := h.Post("/api/v1/auth/login", `{"email": "nobody@test.com", "password": "correct horse battery"}`).WantProblem(fault.InvalidCredentials)
	wrongOne := h.Post("/api/v1/auth/login", `{"email": "me@test.com", "password": "wrong horse battery"}`).WantProblem(fault.InvalidCredentials)
	if unknown.Detail != wrongOne.Detail || unknown.Status != wrongOne.Status {
		t.Errorf("a login tells who has an account: %q, %q", unknown.Detail, wrongOne.Detail)
	}
	guarded := newEnv(t, func(c *server.Config) { c.Workers, c.LoginDelays = false, true })
	guarded.Post("/api/v1/auth/register", `{"email": "me@test.com", "name": "Me", "password": "correct horse battery"}`).Want(http.StatusCreated)
	for range 5 {
		guarded.Post("/api/v1/auth/login", `{"email": "me@test.com", "password": "wrong horse battery"}`).WantProblem(fault.InvalidCredentials)
	}
	guarded.Post("/api/v1/auth/login", `{"email": "me@test.com", "password": "correct horse battery"}`).WantProblem(fault.LoginThrottled)
	h.As(sent).Patch("/api/v1/me", `{"email": "thief@test.com"}`).WantProblem(fault.ValidationFailed)
	h.As(sent).Post("/api/v1/me/deletion", `{"current_password": "guess"}`).WantProblem(fault.ValidationFailed)
	testkit.Exec(t, h.pool, "UPDATE tokens SET created_at = clock_timestamp() - interval '2 hours', expires_at = clock_timestamp() - interval '1 second' WHERE id = $1", id)
	h.As(sent).Get("/api/v1/me").WantProblem(fault.TokenExpired)
	testkit.Exec(t, h.pool, "DELETE FROM tokens WHERE id = $1", id)
	h.As(sent).Get("/api/v1/me").WantProblem(fault.TokenInvalid)
}

// Nobody sets what is not theirs to set, or reads what is not theirs to read.
func TestAPI3BrokenObjectPropertyLevelAuthorization(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	caller, organizer := h.user(access.Organizer)
	event := testkit.Event(t, h.pool, func(e *db.Event) { e.OrganizerID = caller.UserID })
	slot := testkit.Slot(t, h.pool, event.ID).ID.String()
	other := testkit.User(t, h.pool, access.Admin).UserID
	before := h.Get("/api/v1/slots/" + slot).Body
	for what, a := range map[string]testkit.Answer{
		"role":        h.Post("/api/v1/auth/register", `{"email": "me@test.com", "name": "Me", "password": "correct horse battery", "role": "admin"}`, testkit.OffContract),
		"my role":     organizer.Patch("/api/v1/me", `{"role": "admin"}`, testkit.OffContract),
		"my id":       organizer.Patch("/api/v1/me", map[string]any{"id": other}, testkit.OffContract),
		"hash":        organizer.Patch("/api/v1/me", `{"password_hash": "x"}`, testkit.OffContract),
		"organizer":   organizer.Patch("/api/v1/events/"+event.ID.String(), map[string]any{"organizer_id": other}, anyVersion, testkit.OffContract),
		"status":      organizer.Post("/api/v1/events", `{"title": "X", "time_zone": "UTC", "status": "published"}`, testkit.OffContract),
		"seats taken": organizer.Patch("/api/v1/slots/"+slot, `{"seats_taken": 0}`, anyVersion, testkit.OffContract),
		"whose seats": organizer.Post("/api/v1/slots/"+slot+"/bookings", map[string]any{"user_id": other}, testkit.OffContract),
		"is seated":   organizer.Post("/api/v1/slots/"+slot+"/bookings", `{"status": "confirmed"}`, testkit.OffContract),
		"no case":     organizer.Patch("/api/v1/me", `{"Role": "admin", "ROLE": "admin"}`, testkit.OffContract),
		"twice":       organizer.Patch("/api/v1/me", `{"name": "Me", "name": "You"}`, testkit.OffContract),
		"prototype":   organizer.Patch("/api/v1/me", `{"__proto__": {"role": "admin"}}`, testkit.OffContract),
	} {
		if a.Status != http.StatusUnprocessableEntity && a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
	if after := h.Get("/api/v1/slots/" + slot).Body; string(after) != string(before) {
		t.Errorf("the slot has changed: %s", after)
	}
	for name, schema := range contractOf(t).Components.Schemas {
		for property := range schema.Value.Properties {
			isWritten := strings.HasSuffix(name, "Create") || strings.HasSuffix(name, "Patch") || name == "Credentials" || name == "PasswordChange" || name == "Deletion"
			if strings.Contains(property, "hash") || strings.Contains(property, "password") && !isWritten || property == "email" && !isWritten && name != "User" {
				t.Errorf("%s shows %s", name, property)
			}
		}
	}
}

func TestAPI4UnrestrictedResourceConsumption(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) {
		c.Workers, c.RateLimits = false, server.RateLimits{"anonymous": rate(5), "reads": rate(5), "searches": rate(2)}
	})
	_, me := h.user(access.Attendee)
	for _, c := range []struct {
		ask   func() testkit.Answer
		quota int
	}{
		{func() testkit.Answer { return h.plain("GET", "/api/v1/events", "") }, 5},
		{func() testkit.Answer { return h.plain("GET", "/api/v1/events?q=x", "") }, 2},
		{func() testkit.Answer { return me.Get("/api/v1/me") }, 5},
	} {
		for i := range c.quota {
			if a := c.ask(); a.Status != http.StatusOK {
				t.Errorf("request %d of %d: %d %s", i+1, c.quota, a.Status, a.Body)
			}
		}
		if a := c.ask(); a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
			t.Errorf("after %d: %d %v", c.quota, a.Status, a.Header)
		}
	}
	unlimited := newEnv(t, func(c *server.Config) { c.Workers = false })
	_, organizer := unlimited.user(access.Organizer)
	slots := strings.Repeat(`{"slot_id": "`+testkit.ID().String()+`"},`, 500)
	for what, a := range map[string]testkit.Answer{
		"no page":      unlimited.Get("/api/v1/events?limit=-1", testkit.OffContract),
		"a bundle":     organizer.Post("/api/v1/bookings", `{"items": [`+strings.TrimSuffix(slots, ",")+`]}`, testkit.OffContract),
		"a body":       organizer.Post("/api/v1/events", `{"title": "`+strings.Repeat("x", 70<<10)+`"}`, testkit.OffContract),
		"a text":       organizer.Post("/api/v1/events", `{"title": "`+strings.Repeat("x", 50_000)+`", "time_zone": "UTC"}`, testkit.OffContract),
		"nesting":      organizer.Post("/api/v1/events", strings.Repeat("[", 30_000), testkit.OffContract),
		"a bomb":       organizer.Post("/api/v1/events", "x", testkit.OffContract, testkit.Header("Content-Encoding", "gzip")),
		"runs":         organizer.Post("/api/v1/slots/"+testkit.ID().String()+"/simulation", `{"runs": 1000000}`, testkit.OffContract),
		"seats":        organizer.Post("/api/v1/slots/"+testkit.ID().String()+"/bookings", `{"seats": 99999999999999999999}`, testkit.OffContract),
		"a long query": unlimited.Get("/api/v1/events?q="+strings.Repeat("x", 5000), testkit.OffContract),
		"a cursor":     unlimited.Get("/api/v1/events?cursor="+strings.Repeat("A", 5000), testkit.OffContract),
	} {
		if a.Status < 400 || a.Status >= 500 {
			t.Errorf("%s: %d %.200s", what, a.Status, a.Body)
		}
	}
}

// That the table holds is tried for each operation with the table of API1.
func TestAPI5BrokenFunctionLevelAuthorization(t *testing.T) {
	t.Parallel()
	const attendee, anotherAttendee, weakToken = 1, 2, 6
	for _, item := range contractOf(t).Paths.Map() {
		for _, o := range item.Operations() {
			want := permissions[o.OperationID].want
			if _, required := o.Extensions["x-ability"]; required && want[weakToken] != noAbility {
				t.Errorf("%s: a token without the ability gets %s", o.OperationID, want[weakToken])
			}
			if _, restricted := o.Extensions["x-roles"]; restricted && (want[attendee] != notPermitted || want[anotherAttendee] != notPermitted) {
				t.Errorf("%s: attendees get %s and %s", o.OperationID, want[attendee], want[anotherAttendee])
			}
		}
	}
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	caller, _ := h.user(access.Attendee)
	secret := account.NewSecret()
	h.issue(caller, secret)
	self := "/api/v1/users/" + caller.UserID.String()
	h.As(string(secret)).Patch(self, `{"role": "admin"}`).WantProblem(fault.NotPermitted)
	for _, override := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		if a := h.plain("GET", "/api/v1/me", string(secret), override, "DELETE"); a.Status != http.StatusOK {
			t.Errorf("%s: %d", override, a.Status)
		}
	}
	for _, path := range []string{"/api/v1/users/", "/api/v1//users", "/API/v1/users", "/api/v1/users/..;/users", "/api/v1/%75sers", "/api/v1/me/../users", "/api/v1/users%2f"} {
		if a := h.plain("GET", path, string(secret)); a.Status == http.StatusOK {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	if a := h.plain("GET", "/api/v1/users", string(secret), "X-Original-URL", "/api/v1/me", "X-Rewrite-URL", "/api/v1/me"); a.Status != http.StatusForbidden {
		t.Errorf("another path in a header: %d %s", a.Status, a.Body)
	}
	h.As(string(secret)).Get("/api/v1/me").Want(http.StatusOK)
}

// Who buys up seats or makes accounts by a program is slowed down, and nobody beside them.
func TestAPI6UnrestrictedAccessToSensitiveBusinessFlows(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) {
		c.Workers, c.RateLimits = false, server.RateLimits{"bookings": rate(3), "registrations": rate(2)}
	})
	event := testkit.Event(t, h.pool)
	_, hoarder := h.user(access.Attendee)
	_, bystander := h.user(access.Attendee)
	var paths []string
	for i := range 4 {
		day := 24 * time.Hour * time.Duration(1+i)
		paths = append(paths, "/api/v1/slots/"+testkit.Slot(t, h.pool, event.ID, testkit.Times(day, day+time.Hour)).ID.String())
	}
	for _, path := range paths[:2] {
		hoarder.Post(path+"/bookings", `{}`).Want(http.StatusCreated)
	}
	hoarder.Post(paths[2]+"/holds", `{}`).Want(http.StatusCreated)
	hoarder.Post(paths[3]+"/bookings", `{}`).WantProblem(fault.RateLimited)
	bystander.Post(paths[3]+"/bookings", `{}`).Want(http.StatusCreated) // from the same address
	few := testkit.Slot(t, h.pool, testkit.Event(t, h.pool, func(e *db.Event) { e.MaxSeatsPerBooking, e.MaxSeatsPerUser = new(int32(4)), new(int32(6)) }).ID)
	path := "/api/v1/slots/" + few.ID.String() + "/bookings"
	_, greedy := h.user(access.Attendee)
	greedy.Post(path, `{"seats": 5}`).WantProblem(fault.BookingSeatLimit)
	greedy.Post(path, `{"seats": 4}`).Want(http.StatusCreated)
	greedy.Post("/api/v1/slots/"+testkit.Slot(t, h.pool, few.EventID, testkit.Times(48*time.Hour, 49*time.Hour)).ID.String()+"/bookings", `{"seats": 3}`).
		WantProblem(fault.UserSeatLimit)
	for i := range 3 {
		want := http.StatusCreated
		if i == 2 {
			want = http.StatusTooManyRequests
		}
		h.Post("/api/v1/auth/register", api.UserCreate{Email: testkit.ID().String() + "@test.com", Name: "New", Password: "correct horse battery"}).Want(want)
	}
}

// sends are what sends requests: calls of these packages, by name.
var sends = map[string][]string{
	"http": {"Get", "Post", "Head", "PostForm", "DefaultClient", "DefaultTransport", "Client", "Transport"},
	"net":  {"Dial", "DialTimeout", "Dialer", "DialTCP", "DialUDP", "LookupHost", "LookupIP", "LookupAddr"},
	"smtp": {"SendMail", "Dial"},
}

// The service fetches nothing that a request names: it sends no requests at all.
func TestAPI7ServerSideRequestForgery(t *testing.T) {
	t.Parallel()
	files := 0
	for _, name := range []string{"access", "account", "booking", "desk", "event", "idempotency", "page", "seating", "server", "simulation", "text", "view", "waitlist"} {
		err := filepath.WalkDir(filepath.Join("..", name), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files++
			parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				selector, is := n.(*ast.SelectorExpr)
				if of, ofPackage := (*ast.Ident)(nil), false; is {
					if of, ofPackage = selector.X.(*ast.Ident); ofPackage && slices.Contains(sends[of.Name], selector.Sel.Name) {
						t.Errorf("%s uses %s.%s", path, of.Name, selector.Sel.Name)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were read", files)
	}
	for name, schema := range contractOf(t).Components.Schemas {
		for property, value := range schema.Value.Properties {
			if format := value.Value.Format; format == "uri" || format == "url" || format == "hostname" {
				t.Errorf("%s.%s is an address: who fetches it?", name, property)
			}
		}
	}
}

// smuggled are requests that two servers could take for different ones.
var smuggled = map[string]string{
	"a space before the colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
	"an unknown encoding":      "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	"two encodings":            "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
	"an encoding twice":        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"a folded encoding":        "Transfer-Encoding:\r\n chunked, x\r\n\r\n0\r\n\r\n",
	"a list of lengths":        "Content-Length: 2, 3\r\n\r\n{}",
	"a signed length":          "Content-Length: +2\r\n\r\n{}",
	"a hexadecimal length":     "Content-Length: 0x2\r\n\r\n{}",
	"a negative length":        "Content-Length: -1\r\n\r\n{}",
	"a carriage return":        "X-Name: a\rb\r\nContent-Length: 2\r\n\r\n{}",
	"a NUL":                    "X-Name: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
	"a huge chunk":             "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
	"a signed chunk":           "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n",
}

func TestAPI8SecurityMisconfiguration(t *testing.T) {
	t.Parallel()
	app, at := startServing(t, server.Config{DatabaseURL: testkit.DatabaseURL(t), MaxConns: 4, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = app.Stop(context.Background()) })
	for what, rest := range smuggled {
		a := raw(t, at.String(), "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"+rest)
		if a.Status < 400 || a.Header.Get("Connection") != "close" {
			t.Errorf("%s: %d %v", what, a.Status, a.Header)
		}
	}
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	checkSecured(t, "an answer", h.Get("/livez").Header)
	for _, origin := range []string{"https://evil.test", "null", h.Base()} {
		if a := h.plain("GET", "/livez", "", "Origin", origin); a.Header.Get("Access-Control-Allow-Origin") != "" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("by default %s may read: %v", origin, a.Header)
		}
	}
	for _, method := range []string{"TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND"} {
		if a := h.plain(method, "/livez", ""); a.Status < 400 || strings.Contains(string(a.Body), "X-Secret") {
			t.Errorf("%s: %d %s", method, a.Status, a.Body)
		}
	}
	if a := h.Get("/livez"); a.Header.Get("Server") != "" || a.Header.Get("X-Powered-By") != "" {
		t.Errorf("the answer names programs: %v", a.Header)
	}
	testkit.Event(t, h.pool)
	for _, word := range []string{"' OR '1'='1", "'; DROP TABLE users; --", "%", "_", `\`, `\'`, "$1", "x') UNION SELECT email FROM users --", "${7*7}", "{{7*7}}", "<script>", "../../etc/passwd", "\x01"} {
		a := h.Get("/api/v1/events?q="+url.QueryEscape(word), testkit.OffContract)
		if a.Status >= 500 || strings.Contains(string(a.Body), "SQLSTATE") || strings.Contains(string(a.Body), `"id"`) {
			t.Errorf("q=%q: %d %s", word, a.Status, a.Body)
		}
	}
}

// What is served is what the contract has, in one version.
func TestAPI9ImproperInventoryManagement(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Workers = false })
	_, admin := h.user(access.Admin)
	for _, path := range []string{
		"/debug/pprof/", "/debug/vars", "/metrics", "/admin", "/api", "/api/v0/events", "/api/v2/events", "/api/events", "/v1/events", "/.git/config", "/.env", "/swagger.json",
		"/actuator/health", "/console", "/graphql", "/docs/../openapi.go", "/docs/%2e%2e/go.mod", "/server-status", "/api/v1/internal/users", "/riverui",
	} {
		if a := admin.Get(path, testkit.OffContract); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d %.100s", path, a.Status, a.Body)
		}
	}
	for path := range contractOf(t).Paths.Map() {
		isOutside := slices.Contains([]string{"/livez", "/readyz", "/openapi.yaml", "/openapi.json", "/docs", "/problems/{code}"}, path)
		if !isOutside && !strings.HasPrefix(path, "/api/v1/") {
			t.Errorf("%s has no version", path)
		}
	}
	for _, item := range contractOf(t).Paths.Map() {
		for method, o := range item.Operations() {
			if o.Deprecated {
				t.Errorf("%s is deprecated: say in docs/security.md until when it is served", o.OperationID)
			}
			if _, tested := permissions[o.OperationID]; !tested {
				t.Errorf("%s %s is in no test of access", method, o.OperationID)
			}
		}
	}
}

// The service calls no other API. What it is told by those around it, by proxies and
// headers, is not believed without a setting, and appears in no link. What it downloads is
// checked before it is unpacked: embedded.TestFetch….
func TestAPI10UnsafeConsumptionOfAPIs(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) {
		c.Workers, c.RateLimits = false, server.RateLimits{"anonymous": rate(3)}
	})
	var last testkit.Answer
	for i := range 4 {
		forged := fmt.Sprintf("198.51.100.%d", i)
		last = h.plain("GET", "/api/v1/events", "", "X-Forwarded-For", forged, "Forwarded", "for="+forged, "X-Real-IP", forged, "True-Client-IP", forged, "CF-Connecting-IP", forged)
	}
	if last.Status != http.StatusTooManyRequests {
		t.Errorf("whoever forges an address is not limited: %d", last.Status)
	}
	secret := account.NewSecret()
	h.issue(testkit.User(t, h.pool, access.Attendee), secret)
	for range 2 {
		testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	}
	forged := []string{"X-Forwarded-Host", "evil.test", "X-Forwarded-Proto", "gopher", "X-Forwarded-Prefix", "/evil", "X-Host", "evil.test", "Traceparent", "00-evil-evil-01", "X-Request-Id", "evil"}
	a := h.plain("GET", "/api/v1/events?limit=1", string(secret), forged...)
	if a.Status != http.StatusOK || a.Header.Get("Link") == "" {
		t.Fatalf("%d %v", a.Status, a.Header)
	}
	for _, values := range a.Header {
		if strings.Contains(strings.Join(values, " "), "evil") {
			t.Errorf("a header is believed: %v", a.Header)
		}
	}
	if strings.Contains(string(a.Body), "evil.test") {
		t.Errorf("a header is believed: %s", a.Body)
	}
}

func rate(quota int) limit.Rate { return limit.Rate{Quota: quota, Window: 24 * time.Hour} }

func contractOf(t *testing.T) *openapi3.T {
	t.Helper()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	if len(slices.Collect(maps.Keys(spec.Paths.Map()))) < 20 {
		t.Fatal("the contract is empty")
	}
	return spec
}
