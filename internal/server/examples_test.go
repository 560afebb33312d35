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

// exampleIDs is the prefix of the ids in the examples. Then comes a letter for the
// type (b booking, c user, d slot, e event, f token) and a number.
const exampleIDs = "0197a5c0-7a10-7c3e-9d52-0b6a5f1e2"

// seededIDs are queries for what these ids stand for in a seeded database, where ids
// differ from one database to the next. Later queries refer to earlier results.
var seededIDs = [][2]string{
	{"c01", "SELECT id FROM users WHERE email = 'organizer@test.com'"},
	{"c02", "SELECT id FROM users WHERE email = 'admin@test.com'"},
	{"c12", "SELECT id FROM users WHERE email = 'busy@test.com'"},
	{"c13", "SELECT id FROM users WHERE email = 'admin@example.com'"},
	// Two evenings: the first is full, with four waiting bookings.
	{"e01", eventOf("Chamber concert")}, {"d01", slotOf("e01", 1)}, {"d02", slotOf("e01", 2)},
	{"b01", bookingOf("d01", "status = 'confirmed'")}, {"c21", "SELECT user_id FROM bookings WHERE id = '{b01}'"},
	{"b02", bookingOf("d01", "user_id = '{c12}'")},
	{"b03", bookingOf("d02", "status = 'confirmed'")}, {"c23", "SELECT user_id FROM bookings WHERE id = '{b03}'"},
	// Six slots; the first has no bookings.
	{"e02", eventOf("Pottery weekend")}, {"d03", slotOf("e02", 1)},
	{"e03", eventOf("Photo course")}, {"d04", slotOf("e03", 1)}, {"d05", slotOf("e03", 2)},
	// The busy user has a hold and an offer.
	{"e04", eventOf("Baking class")}, {"d06", slotOf("e04", 1)}, {"b04", bookingOf("d06", "status = 'held'")},
	{"e05", eventOf("Wine tasting")}, {"d07", slotOf("e05", 2)}, {"b05", bookingOf("d07", "status = 'offered'")},
	// Promoted by a cancellation.
	{"e06", eventOf("Improv night")}, {"d08", slotOf("e06", 1)},
	{"b06", bookingOf("d08", "status = 'confirmed' AND queued_version IS NOT NULL")}, {"c26", "SELECT user_id FROM bookings WHERE id = '{b06}'"},
	// Checked in.
	{"e07", eventOf("Autumn lecture")}, {"d09", slotOf("e07", 1)},
	{"b07", bookingOf("d09", "checked_in_at IS NOT NULL")}, {"c27", "SELECT user_id FROM bookings WHERE id = '{b07}'"},
	// The time of the first evening.
	{"starts", "SELECT to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM slots WHERE id = '{d01}'"},
	{"ends", "SELECT to_char(ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM slots WHERE id = '{d01}'"},
}

func eventOf(title string) string { return "SELECT id FROM events WHERE title = '" + title + "'" }

func slotOf(event string, number int) string {
	return fmt.Sprintf("SELECT id FROM slots WHERE event_id = '{%s}' ORDER BY starts_at OFFSET %d LIMIT 1", event, number-1)
}

func bookingOf(slot, condition string) string {
	return fmt.Sprintf("SELECT id FROM bookings WHERE slot_id = '{%s}' AND %s ORDER BY version LIMIT 1", slot, condition)
}

// requestOf says how the request of an example is sent.
type requestOf struct {
	as    string            // the user
	path  map[string]string // its parameters
	query string
}

// requestsOf has what differs from defaultRequest, by operation, or by operation and
// name of the example.
var requestsOf = map[string]requestOf{
	"listUsers":               {query: "email=busy@test.com"},
	"listEvents":              {query: "q=chamber"},
	"listMyBookings":          {as: "c21", query: "when=upcoming&status=confirmed"},
	"listConflicts":           {as: "c21", query: "starts_at={starts}&ends_at={ends}"},
	"getBooking waitlisted":   {as: "c12", path: map[string]string{"booking_id": "b02"}},
	"deleteSlot":              {path: map[string]string{"slot_id": "d03"}},
	"createBooking one":       {as: "c13", path: map[string]string{"slot_id": "d02"}},
	"createBooking waitlist":  {as: "c13"},
	"createBooking partial":   {as: "c13"},
	"createBooking upgrade":   {as: "c23"},
	"createHold":              {as: "c13", path: map[string]string{"slot_id": "d02"}},
	"createBookings":          {as: "c13"},
	"updateBooking seats":     {as: "c23", path: map[string]string{"booking_id": "b03"}},
	"updateBooking whole":     {as: "c12", path: map[string]string{"booking_id": "b02"}},
	"confirmBooking":          {as: "c12", path: map[string]string{"booking_id": "b04"}},
	"cancelBooking organizer": {as: "c01"},
	"undoCheckIn":             {path: map[string]string{"booking_id": "b07"}},
	"getBookingHistory":       {as: "c26", path: map[string]string{"booking_id": "b06"}},
	"getBookingChain":         {as: "c26", path: map[string]string{"booking_id": "b06"}},
	"getWaitlistPosition":     {as: "c12", path: map[string]string{"booking_id": "b02"}},
	"acceptOffer":             {as: "c12", path: map[string]string{"booking_id": "b05"}},
	"declineOffer":            {as: "c12", path: map[string]string{"booking_id": "b05"}},
	"getProblem":              {path: map[string]string{"code": "slot_full"}},
}

// defaultRequest says how requests are sent that requestsOf does not name.
func defaultRequest(o *openapi3.Operation) requestOf {
	request := requestOf{as: "c21", path: map[string]string{"event_id": "e01", "slot_id": "d01", "booking_id": "b01", "user_id": "c12"}}
	roles := fmt.Sprint(o.Extensions["x-roles"])
	switch {
	case strings.Contains(roles, "organizer"):
		request.as = "c01"
	case strings.Contains(roles, "admin"):
		request.as = "c02"
	case slices.Contains([]string{"me", "auth"}, o.Tags[0]):
		request.as = "c12"
	}
	return request
}

// example is a request in the contract, with its answer.
type example struct {
	id, method, path string
	operation        *openapi3.Operation
	name             string // of the example; may be empty
	media            string // of the body; "" without a body
	body             any
	status           int
	answer           any // as in the contract; nil if it is not JSON
}

// Each request of the contract's examples is sent to a seeded service. Ids, times,
// tokens and cursors of the answers may differ.
func TestEveryExampleIsWhatTheServiceAnswers(t *testing.T) {
	testkit.SkipIfShort(t, "it copies a seeded database for each of the contract's examples")
	t.Parallel()
	spec, err := api.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	seeded, ids := seededDatabase(t)
	withDatabase := func(url string) func(*server.Config) {
		// Without workers, nothing changes but by the requests.
		return func(c *server.Config) { c.DatabaseURL, c.Workers = url, false }
	}
	reads := newEnv(t, withDatabase(testkit.CopyURL(t, seeded)))
	for _, e := range examplesOf(t, spec) {
		t.Run(strings.TrimSpace(e.id+" "+e.name+" "+e.media), func(t *testing.T) {
			t.Parallel()
			h := reads.in(t)
			if e.method != "GET" || e.id == "listTokens" { // other requests log in, too, but only read
				h = newEnv(t, withDatabase(testkit.CopyURL(t, seeded)))
			}
			e.check(h, maps.Clone(ids))
		})
	}
}

// seededDatabase seeds a database, and returns the results of seededIDs.
func seededDatabase(t *testing.T) (url string, ids map[string]string) {
	t.Helper()
	url, ids = testkit.DatabaseURL(t), map[string]string{}
	pool, err := postgres.Open(t.Context(), url, postgres.PoolOptions{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := seed.Run(t.Context(), pool, seed.Options{Number: 1}); err != nil {
		t.Fatal(err)
	}
	for _, query := range seededIDs {
		var id string
		if err := pool.QueryRow(t.Context(), fill(query[1], ids)).Scan(&id); err != nil {
			t.Fatalf("%s: %v", query[0], err)
		}
		ids[query[0]] = id
	}
	return url, ids
}

// fill replaces {names} in a text by their values.
func fill(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// examplesOf returns the examples of the contract: those of requests with their
// answers, and, of operations without a body, those of answers.
func examplesOf(t *testing.T, spec *openapi3.T) []example {
	var all []example
	for path, item := range spec.Paths.Map() {
		for method, o := range item.Operations() {
			base := example{id: o.OperationID, method: method, path: path, operation: o}
			all = append(all, base.ofOperation(t)...)
		}
	}
	slices.SortFunc(all, func(a, b example) int { return cmp.Compare(a.id+a.name+a.media, b.id+b.name+b.media) })
	return all
}

// ofOperation returns the examples of an operation; e has what they have in common.
func (e example) ofOperation(t *testing.T) (all []example) {
	var success *openapi3.Response
	e.status, success = successOf(e.operation)
	answers := map[string]any{}
	if content := success.Content["application/json"]; content != nil && content.Schema.Ref != "#/components/schemas/SpecDocument" {
		if answers = named(content); len(answers) == 0 {
			t.Errorf("%s: the answer %d has no example", e.id, e.status)
		}
	}
	if e.operation.RequestBody == nil {
		for name, answer := range answers {
			e.name, e.answer = name, answer
			all = append(all, e)
		}
		if len(answers) == 0 {
			all = append(all, e)
		}
		return all
	}
	for media, content := range e.operation.RequestBody.Value.Content {
		requests := named(content)
		if len(requests) == 0 {
			t.Errorf("%s: the request has no example in %s", e.id, media)
		}
		for name, body := range requests {
			e.name, e.media, e.body, e.answer = name, media, body, answerTo(name, answers)
			if len(answers) > 0 && e.answer == nil {
				t.Errorf("%s: no answer has the name of the request example %q", e.id, name)
			}
			all = append(all, e)
		}
	}
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

// named returns the examples of a media type by name; a single one has the name "".
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

// answerTo returns the answer to a request example: the only one, or that of the same
// name.
func answerTo(name string, answers map[string]any) any {
	if len(answers) == 1 {
		for _, only := range answers {
			return only
		}
	}
	return answers[name]
}

// check sends the request, and compares the answer with the contract's.
func (e example) check(h *env, seeded map[string]string) {
	h.t.Helper()
	request := e.request()
	client := h.Client
	if e.operation.Security == nil || len(*e.operation.Security) > 0 {
		client = h.logIn(seeded[request.as])
	}
	e.prepare(client, request, seeded)
	ids := translation{}
	for name, id := range seeded {
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
	answer := client.Send(e.method, e.url(request, seeded), body, options...).Want(e.status)
	if e.answer == nil || h.t.Failed() {
		return
	}
	var got any
	answer.Into(&got)
	if differences := ids.compare("", e.answer, got); len(differences) > 0 {
		h.t.Errorf("the example differs: %s\nthe answer is\n%s", strings.Join(differences, "\n"), ids.ofExamples(got))
	}
}

// request returns how the example's request is sent.
func (e example) request() requestOf {
	request := defaultRequest(e.operation)
	for _, key := range []string{e.id, e.id + " " + e.name} {
		other := requestsOf[key]
		request.as, request.query = cmp.Or(other.as, request.as), cmp.Or(other.query, request.query)
		maps.Copy(request.path, other.path)
	}
	return request
}

// prepare creates what the request is about, if it is not seeded.
func (e example) prepare(client *testkit.Client, request requestOf, seeded map[string]string) {
	switch e.id {
	case "deleteEvent":
		var draft api.Event
		client.Post("/api/v1/events", `{"title": "Chamber concert", "time_zone": "Europe/Berlin"}`).Into(&draft)
		seeded["e01"] = draft.ID.String()
	case "getToken", "deleteToken":
		var token api.NewToken
		client.Post("/api/v1/me/tokens", `{"name": "Phone", "abilities": ["bookings:read", "bookings:write"]}`).Into(&token)
		request.path["token_id"], seeded["f02"] = "f02", token.ID.String()
	}
}

// url returns the request's path and query. Lists get as many items as the example
// has.
func (e example) url(request requestOf, seeded map[string]string) string {
	path := e.path
	for name, value := range request.path {
		path = strings.ReplaceAll(path, "{"+name+"}", cmp.Or(seeded[value], value))
	}
	query := strings.FieldsFunc(fill(request.query, seeded), func(r rune) bool { return r == '&' })
	if list, ok := e.answer.(map[string]any); ok && list["has_more"] != nil {
		query = append(query, fmt.Sprintf("limit=%d", max(1, len(list["data"].([]any)))))
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return path
}

// logIn returns a client with a new token of a seeded user.
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

// translation has the ids of a database by those of the examples.
type translation map[string]string

// ofSeeded returns a value of the contract as JSON, with the ids of the database.
func (ids translation) ofSeeded(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // the value was decoded from JSON
	}
	for example, id := range ids {
		text = bytes.ReplaceAll(text, []byte(example), []byte(id))
	}
	return text
}

// ofExamples returns an answer as JSON, with the ids of the examples.
func (ids translation) ofExamples(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // the value was decoded from JSON
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

// compare returns the differences between the contract's value and the answer's.
func (ids translation) compare(at string, want, got any) []string {
	var equal bool
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok && slices.Equal(slices.Sorted(maps.Keys(w)), slices.Sorted(maps.Keys(g))) {
			return ids.compareMembers(at, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok && len(w) == len(g) {
			var differences []string
			for i := range w {
				differences = append(differences, ids.compare(fmt.Sprintf("%s/%d", at, i), w[i], g[i])...)
			}
			return differences
		}
	case string:
		g, ok := got.(string)
		equal = ok && ids.isSame(w, g)
	default:
		equal = want == got
	}
	if equal {
		return nil
	}
	return []string{fmt.Sprintf("%s: the contract shows %v, the answer has %v", at, want, got)}
}

func (ids translation) compareMembers(at string, want, got map[string]any) (differences []string) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !scalar(want[name]) || !slices.Contains(incomparable, name) {
			differences = append(differences, ids.compare(at+"/"+name, want[name], got[name])...)
		} else if fmt.Sprintf("%T", want[name]) != fmt.Sprintf("%T", got[name]) {
			differences = append(differences, fmt.Sprintf("%s/%s: the contract shows %v, the answer has %v", at, name, want[name], got[name]))
		}
	}
	return differences
}

// isSame compares texts, of which times may differ, and ids if they are translated
// consistently.
func (ids translation) isSame(want, got string) bool {
	if uuid.Validate(want) != nil || uuid.Validate(got) != nil {
		return someTime.ReplaceAllString(want, "a time") == someTime.ReplaceAllString(got, "a time")
	}
	known, ok := ids[want]
	if ok && known != got || !ok && slices.Contains(slices.Collect(maps.Values(ids)), got) {
		return false
	}
	ids[want] = got // of what the request created
	return true
}

func scalar(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}
