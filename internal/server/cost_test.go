package server

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

// No request may cost far more than others before its handler runs, whatever it
// sends. The test counts bytes and allocations, which do not depend on the machine;
// BenchmarkCostliestRequests measures the time.
const (
	maxBytes  = 3 << 20
	maxAllocs = 10_000
)

// costly is a request that might cost much.
type costly struct {
	operation, name    string
	method, path, body string
	header             http.Header
}

func TestNoRequestCostsMuchBeforeItsHandler(t *testing.T) {
	testkit.SkipIfPooled(t, "it needs no database")
	door := newDoor(t)
	var most uint64
	for _, c := range costlyRequests(t) {
		bytes, allocs := costOf(door, c.request())
		if c.body != "" {
			most = max(most, bytes)
		}
		if bytes > maxBytes || allocs > maxAllocs {
			bytes, allocs = costOf(door, c.request()) // without what is made once
		}
		if bytes > maxBytes || allocs > maxAllocs {
			t.Errorf("%s with %s costs %d KiB in %d allocations", c.operation, c.name, bytes>>10, allocs)
		}
	}
	if most < 2*maxBody {
		t.Errorf("the costliest body costs %d KiB: none is looked at", most>>10)
	}
}

// costOf is what a request allocates.
func costOf(door http.Handler, r *http.Request) (bytes, allocs uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	door.ServeHTTP(httptest.NewRecorder(), r)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc, after.Mallocs - before.Mallocs
}

// BenchmarkCostliestRequests has one line for each request; see also go test -benchmem.
func BenchmarkCostliestRequests(b *testing.B) {
	door := newDoor(b)
	for _, c := range costlyRequests(b) {
		b.Run(c.operation+": "+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				door.ServeHTTP(httptest.NewRecorder(), c.request())
			}
		})
	}
}

// newDoor is the router up to the handlers, of which there are none, and without
// authentication.
func newDoor(tb testing.TB) http.Handler {
	operations, err := loadOperations()
	if err != nil {
		tb.Fatal(err)
	}
	e := echo.New()
	e.HTTPErrorHandler = renderProblem(slog.New(slog.DiscardHandler))
	e.Use(trace, limitBody, joinTags, conditional, accept)
	guards := map[string][]echo.MiddlewareFunc{}
	for id, operation := range operations {
		guards[id] = []echo.MiddlewareFunc{arriving, validate(operation)}
	}
	stop := func(api.StrictHandlerFunc, string) api.StrictHandlerFunc {
		return func(echo.Context, any) (any, error) { return nil, fault.NotFound.New("The handler would run now.") }
	}
	handler := api.NewStrictHandler(nil, []api.StrictMiddlewareFunc{stop, idempotent(nil, 0)})
	api.RegisterHandlersWithOptions(e, handler, api.RegisterHandlersOptions{OperationMiddlewares: guards})
	return e
}

// arriving is awaitBody without its look at the token.
func arriving(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := arrive(c.Request()); err != nil {
			return err
		}
		return next(c)
	}
}

func (c costly) request() *http.Request {
	r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	r.Header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	maps.Copy(r.Header, c.header)
	return r
}

func costlyRequests(tb testing.TB) (all []costly) {
	operations, err := loadOperations()
	if err != nil {
		tb.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(operations)) {
		o := operations[id]
		path := o.route.Path
		for _, name := range []string{"event_id", "slot_id", "booking_id", "user_id", "token_id"} {
			path = strings.ReplaceAll(path, "{"+name+"}", uuid.Max.String())
		}
		path = strings.ReplaceAll(path, "{code}", "slot_full")
		for name, query := range costlyQueries(o) {
			all = append(all, costly{operation: id, name: name, method: o.route.Method, path: path + "?" + query})
		}
		for name, header := range costlyHeaders(id) {
			all = append(all, costly{operation: id, name: name, method: o.route.Method, path: path, header: header})
		}
		if o.RequestBody == nil {
			continue
		}
		for name, body := range costlyBodies(o.RequestBody.Value.Content[echo.MIMEApplicationJSON].Schema.Value) {
			all = append(all, costly{operation: id, name: name, method: o.route.Method, path: path, body: body})
		}
	}
	return all
}

// fill repeats a text as often as it fits between two others into a limit in bytes.
func fill(limit int, before, repeated, after string) string {
	repeated = strings.Repeat(repeated, (limit-len(before)-len(after))/len(repeated))
	return before + strings.TrimSuffix(repeated, ",") + after
}

// costlyBodies are of the largest size, with all that is costly at every place.
func costlyBodies(s *openapi3.Schema) map[string]string {
	bodies := map[string]string{
		"whitespace": fill(maxBody, "{", " ", "}"), "no object": fill(maxBody, "[", "1,", "]"), "nesting": fill(maxBody, "", `[`, ""),
		"nested members": fill(maxBody, "", `{"x":`, ""), "duplicates": fill(maxBody, "{", `"x":1,`, "}"),
		"unknown members": "{" + manyMembers(`1`) + "}", "unknown objects": "{" + manyMembers(`{"x":{}}`) + "}", "long name": fill(maxBody, `{"`, "~", `":1}`),
		"long names": fill(maxBody, `{"a`, "/", `":1,`)[:maxBody/2] + fill(maxBody/2, `b`, `\n`, `":1}`),
	}
	for name, value := range costlyValues() {
		bodies["unknown: "+name] = fill(maxBody, `{"x":`+value[0], value[1], value[2]+"}")
	}
	addCostly(bodies, s, "", "")
	return bodies
}

func manyMembers(value string) string {
	var members []string
	for i, size := 0, 2; size < maxBody-20; i++ {
		member := fmt.Sprintf(`"%x":%s`, i, value)
		members, size = append(members, member), size+len(member)+1
	}
	return strings.Join(members, ",")
}

// addCostly adds bodies with each costly value at each place of a schema, between two
// texts.
func addCostly(bodies map[string]string, s *openapi3.Schema, before, after string) {
	for name, value := range costlyValues() {
		if before != "" {
			bodies[before+name+after] = fill(maxBody, before+value[0], value[1], value[2]+after)
		}
	}
	for name, property := range s.Properties {
		addCostly(bodies, property.Value, before+`{"`+name+`":`, "}"+after)
	}
	if s.Items == nil {
		return
	}
	for _, value := range append(s.Items.Value.Enum, 1, "x", nil, map[string]any{"x": 1}, []any{}) {
		text := strings.ReplaceAll(fmt.Sprintf("%#v", value), "interface {}", "")
		switch v := value.(type) {
		case nil:
			text = "null"
		case map[string]any:
			text = `{"x":1}`
		case []any:
			text = "[]"
		case string:
			text = `"` + v + `"`
		}
		bodies[before+"array of "+text+after] = fill(maxBody, before+"[", text+",", "]"+after)
	}
	addCostly(bodies, s.Items.Value, before+"[", "]"+after)
}

// costlyValues are JSON values in three parts, of which the middle one is repeated.
func costlyValues() map[string][3]string {
	return map[string][3]string{
		"numbers": {"[", "1,", "]"}, "nulls": {"[", "null,", "]"}, "objects": {"[", "{},", "]"}, "arrays": {"[", "[],", "]"}, "strings": {"[", `"",`, "]"},
		"long string": {`"`, "x", `"`}, "escapes": {`"`, `\u0061`, `"`}, "quotes": {`"`, `\"`, `"`}, "wide": {`"`, "\U0001F600", `"`}, "NUL": {`"`, `\u0000`, `"`},
		"comments": {`"`, "(", `"`}, "addresses": {`"`, "a@b,", `"`}, "domain": {`"a@`, "b.", `c"`}, "literal": {`"a@[`, "[", `]"`}, "phrase": {`"`, "a ", `<a@b.cd>"`},
		"encoded words": {`"`, "=?utf-8?q?a?= ", `<a@b.cd>"`}, "quoted address": {`"\"`, `\\\\`, `\"@b.cd"`}, "fraction": {`"2026-12-01T18:00:00.`, "1", `Z"`},
		"integer": {"1", "0", ""}, "decimals": {"0.", "0", "1"}, "exponent": {"1e", "9", ""}, "negative": {"-1", "9", ""},
	}
}

// costlyQueries are of the largest size that net/http accepts together with headers.
func costlyQueries(o *operation) map[string]string {
	const most = 16 << 10
	queries := map[string]string{"unknown parameters": fill(most, "", "a&", "a"), "repeated parameters": fill(most, "", "limit=1&", "limit=1"), "separators": fill(most, "", "&", "")}
	for name, s := range o.query {
		queries[name+" list"] = fill(most, name+"=", "a,", "a")
		queries[name+" commas"] = name + "=" + strings.Repeat(",", most-20)
		queries[name+" repeated"] = fill(most, "", name+"=a&", name+"=a")
		queries[name+" escapes"] = fill(most, name+"=", "%61", "")
		queries[name+" digits"] = fill(most, name+"=", "9", "")
		queries[name+" time"] = fill(most, name+"=2026-12-01T18:00:00.", "1", "Z")
		queries[name+" address"] = fill(most, name+"=", "(", "@b.cd")
		queries[name+" literal"] = fill(most, name+"=a@", "[", "]")
		if s.Items != nil {
			queries[name+" accepted"] = fill(most, name+"=", fmt.Sprint(s.Items.Value.Enum[0])+",", "")
		}
	}
	return queries
}

// costlyHeaders are of the largest size that net/http accepts, for an operation of
// each kind that reads headers.
func costlyHeaders(id string) map[string]http.Header {
	const most = 16 << 10
	headers := map[string]http.Header{}
	if !slices.Contains([]string{"getProblem", "getEvent", "updateEvent", "createBooking"}, id) {
		return headers
	}
	for _, name := range []string{"Accept", "If-Match", "If-None-Match", "Content-Type", "Content-Encoding", idempotencyKey, "Traceparent", "Authorization", "Accept-Encoding"} {
		for _, repeated := range []string{"a", ",", `"",`, `W/"a", `, "*,", "a/b;q=0.1,", ";a=b", `";`} {
			headers[name+" of "+repeated] = http.Header{name: {fill(most, "", repeated, "")}}
		}
		headers["lines of "+name] = http.Header{name: slices.Repeat([]string{`"a"`}, most/(len(name)+7))}
	}
	return headers
}
