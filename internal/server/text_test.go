package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
)

// freeString is a string in a request that is not of a list of values, an id or a time.
type freeString struct {
	operation *operation
	name      string // a pointer into the body, or a parameter
	schema    *openapi3.SchemaRef
}

// freeStrings are those of all operations, in bodies and queries.
func freeStrings(t *testing.T) (bodies, queries []freeString) {
	t.Helper()
	operations, err := loadOperations()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range operations {
		for _, p := range o.Parameters {
			if p.Value.In == openapi3.ParameterInQuery && p.Value.Name != "cursor" && isFree(p.Value.Schema) {
				queries = append(queries, freeString{o, p.Value.Name, p.Value.Schema})
			}
		}
		if o.RequestBody == nil {
			continue
		}
		for _, media := range o.RequestBody.Value.Content {
			bodies = append(bodies, freeStringsIn(o, "", media.Schema)...)
		}
	}
	return bodies, queries
}

func freeStringsIn(o *operation, pointer string, schema *openapi3.SchemaRef) (found []freeString) {
	if schema == nil {
		return nil
	}
	if isFree(schema) {
		return []freeString{{o, pointer, schema}}
	}
	for name, property := range schema.Value.Properties {
		found = append(found, freeStringsIn(o, pointer+"/"+name, property)...)
	}
	return append(found, freeStringsIn(o, pointer+"/0", schema.Value.Items)...)
}

func isFree(s *openapi3.SchemaRef) bool {
	return s.Value.Type.Is(openapi3.TypeString) && s.Value.Enum == nil && s.Value.Format != "uuid" && s.Value.Format != "date-time"
}

// bodyWith is a body that has a string at a pointer, and nothing else.
func bodyWith(pointer, quoted string) string {
	parts := strings.Split(pointer, "/")[1:]
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i] == "0" {
			quoted = "[" + quoted + "]"
		} else {
			quoted = fmt.Sprintf("{%q: %s}", parts[i], quoted)
		}
	}
	return quoted
}

// A new string that people type cannot be forgotten.
func TestEveryFreeStringHasATextRule(t *testing.T) {
	t.Parallel()
	bodies, queries := freeStrings(t)
	for _, s := range append(bodies, queries...) {
		if textRuleOf(s.schema.Value) == nil {
			t.Errorf("%s: %s has no x-text, or one that does not exist", s.operation.OperationID, s.name)
		}
	}
	if len(bodies) < 20 || len(queries) == 0 {
		t.Errorf("only %d and %d strings were found", len(bodies), len(queries))
	}
}

// Each text of each operation is cleaned: the field is named, with the character.
func TestEveryTextIsCleaned(t *testing.T) {
	t.Parallel()
	bodies, _ := freeStrings(t)
	for _, s := range bodies {
		schema := s.operation.RequestBody.Value.Content["application/json"].Schema.Value
		_, wrong, err := scanBody([]byte(bodyWith(s.name, `"a\u200bb@test.com"`)), schema, 100)
		switch rule := s.schema.Value.Extensions["x-text"]; rule {
		case "line", "block", "email":
			if err != nil || len(wrong) != 1 || wrong[0].Pointer != s.name || !strings.Contains(wrong[0].Detail, "U+200B") {
				t.Errorf("%s: %s with U+200B: %v, %v", s.operation.OperationID, s.name, wrong, err)
			}
		default:
			if err != nil || len(wrong) > 0 {
				t.Errorf("%s: %s (%s) with U+200B: %v, %v", s.operation.OperationID, s.name, rule, wrong, err)
			}
		}
		if s.schema.Value.Extensions["x-text"] == "typed" {
			continue
		}
		cleaned, _, err := scanBody([]byte(bodyWith(s.name, `"Zoe\u0308@test.com"`)), schema, 100)
		if err != nil || !strings.Contains(string(cleaned), "Zo\u00eb@test.com") {
			t.Errorf("%s: %s is not in NFC: %s, %v", s.operation.OperationID, s.name, cleaned, err)
		}
	}
}

// Only the strings change; everything else is copied as it was written.
func TestCleaningReplacesStringsOnly(t *testing.T) {
	t.Parallel()
	schema := loaded(t, "createEvent").RequestBody.Value.Content["application/json"].Schema.Value
	for body, want := range map[string]string{
		` { "title" : "a" , "max_passes":1e0,"x":[null,true, "e\u0308"] } `: ` { "title" : "a" , "max_passes":1e0,"x":[null,true, "e\u0308"] } `,
		`{"title":"e\u0308","location":"\"o\u0308\\"}`:                      `{"title":"ë","location":"\"ö\\"}`,
		`{"description":"1\r\n2\n3","title":"\/"}`:                          `{"description":"1\n2\n3","title":"\/"}`,
		`{"description":"<&>e\u0308"}`:                                      `{"description":"\u003c\u0026\u003eë"}`,
		`"text"`:                                                            `"text"`,
		`[]`:                                                                `[]`,
	} {
		if got, _, err := scanBody([]byte(body), schema, 100); string(got) != want || err != nil {
			t.Errorf("%s became %s, %v", body, got, err)
		}
	}
}

func TestLoneSurrogatesAreRefused(t *testing.T) {
	t.Parallel()
	schema := loaded(t, "createEvent").RequestBody.Value.Content["application/json"].Schema.Value
	for body, wrong := range map[string]string{
		`{"title":"\ud800"}`: "/title U+D800", `{"title":"a\uDFFFb"}`: "/title U+DFFF", `{"title":"\udc00\ud800"}`: "/title U+DC00",
		`{"title":"\ud83d\ud83d\ude00"}`: "/title U+D83D", `{"title":"\ud83d\u0041"}`: "/title U+D83D", `{"title":"\ud83d😀"}`: "/title U+D83D",
		`{"title":"\\\ud800"}`: "/title U+D800", `{"x":[{"y":"\ud800"}]}`: "/x/0/y U+D800", `{"a":{"\ud800":1}}`: "/a U+D800", `{"title":"\ud83d\n"}`: "/title U+D83D",
		`{"title":"\ud83d\ude00"}`: "", `{"title":"\\ud800"}`: "", `{"title":"\ufffd"}`: "", `{"title":"�"}`: "", `{"title":"\\\\ud800 \"\u00e9"}`: "",
	} {
		_, refused, err := scanBody([]byte(body), schema, 100)
		got := ""
		if len(refused) > 0 {
			got = refused[0].Pointer + " " + strings.TrimPrefix(refused[0].Detail, "must not contain the lone surrogate ")
		}
		if got != wrong {
			t.Errorf("%s: %q, want %q (%v)", body, got, wrong, err)
		}
	}
}

func loaded(t *testing.T, id string) *operation {
	t.Helper()
	operations, err := loadOperations()
	if err != nil {
		t.Fatal(err)
	}
	return operations[id]
}

func TestSearchWordsAreNormalised(t *testing.T) {
	t.Parallel()
	u := &url.URL{RawQuery: "q=" + url.QueryEscape("Zoe\u0308") + "&limit=3"}
	canonical, wrong, err := loaded(t, "listEvents").canonicalQuery(u)
	if want := "limit=3&q=" + url.QueryEscape("Zo\u00eb"); canonical != want || len(wrong) > 0 || err != nil {
		t.Errorf("%s, %v, %v", canonical, wrong, err)
	}
}

// What is no UTF-8 is refused wherever it is.
func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	t.Parallel()
	router := withoutDatabase(t)
	id := uuid.Max.String()
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{http.MethodPost, "/api/v1/events", "{\"title\":\"\xff\"}", 400},
		{http.MethodPost, "/api/v1/events", "{\"title\":\"\xed\xa0\x80\"}", 400}, // a surrogate in UTF-8
		{http.MethodPost, "/api/v1/events", "{\"\xc3\x28\":1}", 400},
		{http.MethodPost, "/api/v1/events", `{"title":"\ud800","time_zone":"UTC"}`, 422},
		{http.MethodPost, "/api/v1/slots/" + id + "/bookings", `{"\ud800":1}`, 422},
		{http.MethodGet, "/api/v1/events?q=%ff", "", 400},
		{http.MethodGet, "/api/v1/events?q=%ed%a0%80", "", 400},
		{http.MethodGet, "/api/v1/events?%ff=1", "", 400},
		{http.MethodGet, "/api/v1/events?cursor=%ff", "", 400},
		{http.MethodGet, "/api/v1/events/%ff", "", 400},
		{http.MethodGet, "/problems/%ff", "", 404},
		{http.MethodGet, "/problems/%ed%a0%80", "", 404},
	} {
		r := httptest.NewRequest(c.method, c.path, bytes.NewReader([]byte(c.body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer token")
		answer := httptest.NewRecorder()
		router.ServeHTTP(answer, r)
		var p api.Problem
		if err := json.Unmarshal(answer.Body.Bytes(), &p); answer.Code != c.status || err != nil || errors.Is(fault.Lookup(string(p.Code)).New(""), fault.Internal) {
			t.Errorf("%s %s %q: %d %s", c.method, c.path, c.body, answer.Code, answer.Body)
		}
	}
}
