//go:build unix

package server_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seed"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// exampleIDs is how the ids of the examples begin: the rest is a letter for the
// kind of the thing (b booking, c user, d slot, e event, f token) and a number.
const exampleIDs = "0197a5c0-7a10-7c3e-9d52-0b6a5f1e2"

// seededThings are what these ids stand for in a database that was seeded; there,
// ids differ from one database to the next. Later ones are found by earlier ones.
var seededThings = [][2]string{
	{"c01", "SELECT id FROM users WHERE email = 'organizer@test.com'"},
	{"c02", "SELECT id FROM users WHERE email = 'admin@test.com'"},
	{"c12", "SELECT id FROM users WHERE email = 'busy@test.com'"},
	{"c13", "SELECT id FROM users WHERE email = 'admin@example.com'"},
	// Two evenings: all seats of the first are taken, and four bookings wait.
	{"e01", eventOf("Chamber concert")}, {"d01", slotOf("e01", 1)}, {"d02", slotOf("e01", 2)},
	{"b01", bookingOf("d01", "status = 'confirmed'")}, {"c21", "SELECT user_id FROM bookings WHERE id = '{b01}'"},
	{"b02", bookingOf("d01", "user_id = '{c12}'")},
	{"b03", bookingOf("d02", "status = 'confirmed'")}, {"c23", "SELECT user_id FROM bookings WHERE id = '{b03}'"},
	// Six sessions, nobody has booked the first.
	{"e02", eventOf("Pottery weekend")}, {"d03", slotOf("e02", 1)},
	{"e03", eventOf("Photo course")}, {"d04", slotOf("e03", 1)}, {"d05", slotOf("e03", 2)},
	// Seats are held for the busy user, and others offered.
	{"e04", eventOf("Baking class")}, {"d06", slotOf("e04", 1)}, {"b04", bookingOf("d06", "status = 'held'")},
	{"e05", eventOf("Wine tasting")}, {"d07", slotOf("e05", 2)}, {"b05", bookingOf("d07", "status = 'offered'")},
	// Promoted, because others cancelled.
	{"e06", eventOf("Improv night")}, {"d08", slotOf("e06", 1)},
	{"b06", bookingOf("d08", "status = 'confirmed' AND queued_version IS NOT NULL")}, {"c26", "SELECT user_id FROM bookings WHERE id = '{b06}'"},
	// Checked in.
	{"e07", eventOf("Autumn lecture")}, {"d09", slotOf("e07", 1)},
	{"b07", bookingOf("d09", "checked_in_at IS NOT NULL")}, {"c27", "SELECT user_id FROM bookings WHERE id = '{b07}'"},
	// When the first evening is.
	{"starts", "SELECT to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM slots WHERE id = '{d01}'"},
	{"ends", "SELECT to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM slots WHERE id = '{d01}'"},
}

func eventOf(title string) string { return "SELECT id FROM events WHERE title = '" + title + "'" }

func slotOf(event string, place int) string {
	return fmt.Sprintf("SELECT id FROM slots WHERE event_id = '{%s}' ORDER BY starts_at OFFSET %d LIMIT 1", event, place-1)
}

func bookingOf(slot, condition string) string {
	return fmt.Sprintf("SELECT id FROM bookings WHERE slot_id = '{%s}' AND %s ORDER BY version LIMIT 1", slot, condition)
}

// asked is by whom, and about what, the request of an example is.
type asked struct {
	as    string            // the user
	about map[string]string // parameters of the path
	query string
}

// askedOf has the examples that are about something else than those of their
// kind: by operation, or by operation and name of the example.
var askedOf = map[string]asked{
	"listUsers":               {query: "email=busy@test.com"},
	"listEvents":              {query: "q=chamber"},
	"listMyBookings":          {as: "c21", query: "when=upcoming&status=confirmed"},
	"listConflicts":           {as: "c21", query: "starts_at={starts}&ends_at={ends}"},
	"getBooking waitlisted":   {as: "c12", about: map[string]string{"booking_id": "b02"}},
	"deleteSlot":              {about: map[string]string{"slot_id": "d03"}},
	"createBooking one":       {as: "c13", about: map[string]string{"slot_id": "d02"}},
	"createBooking waitlist":  {as: "c13"},
	"createBooking partial":   {as: "c13"},
	"createBooking upgrade":   {as: "c23"},
	"createHold":              {as: "c13", about: map[string]string{"slot_id": "d02"}},
	"createBookings":          {as: "c13"},
	"updateBooking seats":     {as: "c23", about: map[string]string{"booking_id": "b03"}},
	"updateBooking whole":     {as: "c12", about: map[string]string{"booking_id": "b02"}},
	"confirmBooking":          {as: "c12", about: map[string]string{"booking_id": "b04"}},
	"cancelBooking organizer": {as: "c01"},
	"undoCheckIn":             {about: map[string]string{"booking_id": "b07"}},
	"getBookingHistory":       {as: "c26", about: map[string]string{"booking_id": "b06"}},
	"getBookingChain":         {as: "c26", about: map[string]string{"booking_id": "b06"}},
	"getWaitlistPosition":     {as: "c12", about: map[string]string{"booking_id": "b02"}},
	"acceptOffer":             {as: "c12", about: map[string]string{"booking_id": "b05"}},
	"declineOffer":            {as: "c12", about: map[string]string{"booking_id": "b05"}},
	"getProblem":              {about: map[string]string{"code": "slot_full"}},
}

// usual is what examples are about that askedOf does not name.
func usual(o *openapi3.Operation) asked {
	usual := asked{as: "c21", about: map[string]string{"event_id": "e01", "slot_id": "d01", "booking_id": "b01", "user_id": "c12"}}
	roles := fmt.Sprint(o.Extensions["x-roles"])
	switch {
	case strings.Contains(roles, "organizer"):
		usual.as = "c01"
	case strings.Contains(roles, "admin"):
		usual.as = "c02"
	case slices.Contains([]string{"me", "auth"}, o.Tags[0]):
		usual.as = "c12"
	}
	return usual
}

// example is one request of the contract, with the answer that it promises.
type example struct {
	id, method, path string
	operation        *openapi3.Operation
	name             string // of the example; of one that has none, empty
	media            string // of the body; without a body, empty
	body             any
	status           int
	answer           any // what the contract shows; nil where there is no JSON to show
}

// Every request example of the contract does what the contract says, on seeded
// data: it gets the success, and the answer that stands beside it, but for ids,
// times, tokens and cursors, which differ from one database to the next.
func TestExamplesAreTrue(t *testing.T) {
	t.Parallel()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	seeded, things := seededDatabase(t)
	withDatabase := func(url string) func(*server.Config) {
		// Without workers, nobody else changes what the examples are about.
		return func(c *server.Config) { c.DatabaseURL, c.Workers = url, false }
	}
	reads := openHouse(t, withDatabase(testkit.CopyURL(t, seeded)))
	for _, e := range examplesOf(t, spec) {
		t.Run(strings.TrimSpace(e.id+" "+e.name+" "+e.media), func(t *testing.T) {
			t.Parallel()
			h := reads.in(t)
			if e.method != "GET" || e.id == "listTokens" { // others log in to read, too
				h = openHouse(t, withDatabase(testkit.CopyURL(t, seeded)))
			}
			e.try(h, maps.Clone(things))
		})
	}
}

// seededDatabase seeds a database, and finds the things of the examples in it.
func seededDatabase(t *testing.T) (url string, things map[string]string) {
	t.Helper()
	url, things = testkit.DatabaseURL(t), map[string]string{}
	pool, err := postgres.Open(t.Context(), url, postgres.PoolOptions{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := seed.Run(t.Context(), pool, seed.Options{Number: 1}); err != nil {
		t.Fatal(err)
	}
	for _, thing := range seededThings {
		var found string
		if err := pool.QueryRow(t.Context(), fill(thing[1], things)).Scan(&found); err != nil {
			t.Fatalf("%s: %v", thing[0], err)
		}
		things[thing[0]] = found
	}
	return url, things
}

// fill puts what was found into a text in place of {names}.
func fill(text string, things map[string]string) string {
	for name, thing := range things {
		text = strings.ReplaceAll(text, "{"+name+"}", thing)
	}
	return text
}

// examplesOf are the examples of the contract: those of requests with their
// answers, and, of operations without a body, those of answers.
func examplesOf(t *testing.T, spec *openapi3.T) []example {
	var all []example
	for path, item := range spec.Paths.Map() {
		for method, o := range item.Operations() {
			base := example{id: o.OperationID, method: method, path: path, operation: o}
			var success *openapi3.Response
			base.status, success = successOf(o)
			answers := map[string]any{}
			if content := success.Content["application/json"]; content != nil && content.Schema.Ref != "#/components/schemas/SpecDocument" {
				if answers = named(content); len(answers) == 0 {
					t.Errorf("%s: the answer %d has no example", o.OperationID, base.status)
				}
			}
			if o.RequestBody == nil {
				for name, answer := range answers {
					e := base
					e.name, e.answer = name, answer
					all = append(all, e)
				}
				if len(answers) == 0 {
					all = append(all, base)
				}
				continue
			}
			for media, content := range o.RequestBody.Value.Content {
				requests := named(content)
				if len(requests) == 0 {
					t.Errorf("%s: the request has no example in %s", o.OperationID, media)
				}
				for name, body := range requests {
					e := base
					e.name, e.media, e.body, e.answer = name, media, body, answerTo(name, answers)
					if len(answers) > 0 && e.answer == nil {
						t.Errorf("%s: no answer has the name of the request example %q", o.OperationID, name)
					}
					all = append(all, e)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b example) int { return cmp.Compare(a.id+a.name+a.media, b.id+b.name+b.media) })
	return all
}

func successOf(o *openapi3.Operation) (status int, success *openapi3.Response) {
	for code, response := range o.Responses.Map() {
		if n, err := strconv.Atoi(code); err == nil && n < 300 {
			status, success = n, response.Value
		}
	}
	return status, success
}

// named are the examples of a media type by their names; a single one has none.
func named(content *openapi3.MediaType) map[string]any {
	examples := map[string]any{}
	if content.Example != nil {
		examples[""] = content.Example
	}
	for name, example := range content.Examples {
		examples[name] = example.Value.Value
	}
	return examples
}

// answerTo is the answer to the request example of a name: the only one, or that
// of the same name.
func answerTo(name string, answers map[string]any) any {
	if len(answers) == 1 {
		for _, only := range answers {
			return only
		}
	}
	return answers[name]
}

// try sends the request, and compares the answer with the contract's.
func (e example) try(h *env, things map[string]string) {
	h.t.Helper()
	ask := usual(e.operation)
	for _, key := range []string{e.id, e.id + " " + e.name} {
		other := askedOf[key]
		ask.as, ask.query = cmp.Or(other.as, ask.as), cmp.Or(other.query, ask.query)
		maps.Copy(ask.about, other.about)
	}
	client := h.Client
	if e.operation.Security == nil || len(*e.operation.Security) > 0 {
		client = h.logIn(things[ask.as])
	}
	switch e.id { // what they are about is not seeded
	case "deleteEvent":
		var draft api.Event
		client.Post("/api/v1/events", `{"title": "Chamber concert", "time_zone": "Europe/Berlin"}`).Into(&draft)
		things["e01"] = draft.ID.String()
	case "deleteToken":
		var token api.NewToken
		client.Post("/api/v1/me/tokens", `{"name": "Phone", "abilities": ["bookings:read"]}`).Into(&token)
		ask.about["token_id"], things["f01"] = "f01", token.ID.String()
	}
	path := e.path
	for name, thing := range ask.about {
		path = strings.ReplaceAll(path, "{"+name+"}", cmp.Or(things[thing], thing))
	}
	query := strings.FieldsFunc(fill(ask.query, things), func(r rune) bool { return r == '&' })
	if list, ok := e.answer.(map[string]any); ok && list["has_more"] != nil {
		query = append(query, fmt.Sprintf("limit=%d", max(1, len(list["data"].([]any))))) // as many as are shown
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	ids := translation{}
	for name, id := range things {
		if uuid.Validate(id) == nil {
			ids[exampleIDs+name] = id
		}
	}
	var options []testkit.RequestOption
	if e.operation.Parameters.GetByInAndName("header", "If-Match") != nil {
		options = append(options, testkit.Header("If-Match", "*"))
	}
	var body any
	if e.media != "" {
		body = string(ids.ofSeeded(e.body))
		options = append(options, testkit.Header("Content-Type", e.media))
	}
	answer := client.Send(e.method, path, body, options...).Want(e.status)
	if e.answer == nil || h.t.Failed() {
		return
	}
	var got any
	answer.Into(&got)
	if differences := ids.compare("", e.answer, got); len(differences) > 0 {
		h.t.Errorf("the example is not true: %s\nthe answer is\n%s", strings.Join(differences, "\n"), ids.ofExamples(got))
	}
}

// logIn is a client of a seeded user.
func (h *env) logIn(userID string) *testkit.Client {
	h.t.Helper()
	credentials := api.Credentials{Password: "password"}
	if err := h.pool.QueryRow(h.t.Context(), "SELECT email FROM users WHERE id = $1", userID).Scan(&credentials.Email); err != nil {
		h.t.Fatal(err)
	}
	if credentials.Email == "admin@example.com" {
		credentials.Password = "password123"
	}
	var login api.LoginResult
	h.Post("/api/v1/auth/login", credentials).Want(200).Into(&login)
	return h.As(login.Token)
}

// translation is the ids of a database by those of the examples.
type translation map[string]string

// ofSeeded is a value of the contract as JSON, with the ids of the database.
func (ids translation) ofSeeded(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // it was read from JSON
	}
	for example, id := range ids {
		text = bytes.ReplaceAll(text, []byte(example), []byte(id))
	}
	return text
}

// ofExamples is an answer as the contract may show it.
func (ids translation) ofExamples(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // it was read from JSON
	}
	for example, id := range ids {
		text = bytes.ReplaceAll(text, []byte(id), []byte(example))
	}
	return text
}

var (
	someTime = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z`)
	// incomparable are members whose values are random, or estimates.
	incomparable = []string{"token", "next_cursor", "promoted", "promoted_p10", "promoted_p90", "still_waiting", "wait_hours_median", "passed"}
)

// compare says where an answer is not what the contract shows.
func (ids translation) compare(at string, want, got any) (differences []string) {
	differ := func() []string {
		return []string{fmt.Sprintf("%s: the contract shows %v, the answer has %v", at, want, got)}
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || !slices.Equal(slices.Sorted(maps.Keys(w)), slices.Sorted(maps.Keys(g))) {
			return differ()
		}
		for _, name := range slices.Sorted(maps.Keys(w)) {
			if scalar(w[name]) && slices.Contains(incomparable, name) {
				if fmt.Sprintf("%T", w[name]) != fmt.Sprintf("%T", g[name]) {
					differences = append(differences, fmt.Sprintf("%s/%s: the contract shows %v, the answer has %v", at, name, w[name], g[name]))
				}
				continue
			}
			differences = append(differences, ids.compare(at+"/"+name, w[name], g[name])...)
		}
		return differences
	case []any:
		g, ok := got.([]any)
		if !ok || len(w) != len(g) {
			return differ()
		}
		for i := range w {
			differences = append(differences, ids.compare(fmt.Sprintf("%s/%d", at, i), w[i], g[i])...)
		}
		return differences
	case string:
		g, ok := got.(string)
		if !ok {
			return differ()
		}
		if uuid.Validate(w) == nil && uuid.Validate(g) == nil {
			// A new thing gets its id here, and keeps it.
			if known, ok := ids[w]; ok && known != g || !ok && slices.Contains(slices.Collect(maps.Values(ids)), g) {
				return differ()
			}
			ids[w] = g
			return nil
		}
		if someTime.ReplaceAllString(w, "a time") != someTime.ReplaceAllString(g, "a time") {
			return differ()
		}
		return nil
	}
	if want != got {
		return differ()
	}
	return nil
}

func scalar(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}
