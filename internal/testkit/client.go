//go:build unix

package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
)

// Client sends requests to a running service and checks every exchange against
// openapi.yaml: the test fails if an answer is not what the contract describes, or
// a request is not, unless it is sent with OffContract. Clients are safe for
// concurrent use.
type Client struct {
	t         testing.TB
	base      string
	token     string
	retryBusy bool // see RetryBusy
	http      *http.Client
}

// NewClient is a client of the service at a base URL, without a token.
func NewClient(t testing.TB, base string) *Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &Client{t: t, base: base, http: &http.Client{Transport: transport}}
}

// Base is the service's base URL.
func (c *Client) Base() string { return c.base }

// As is the same client with a token.
func (c *Client) As(token string) *Client {
	other := *c
	other.token = token
	return &other
}

// RetryBusy is the same client, but it repeats a request that was refused with a
// retryable 503, for 30 seconds at most: a machine that runs many tests at once may
// truly overload a service.
func (c *Client) RetryBusy() *Client {
	other := *c
	other.retryBusy = true
	return &other
}

const (
	retryLimit = 30 * time.Second
	// retryPause is short because no one else uses the test's service.
	retryPause = 50 * time.Millisecond
)

// isBusy reports whether the request had no effect but may have one if repeated.
func (a Answer) isBusy() bool {
	var p api.Problem
	return a.Status == http.StatusServiceUnavailable && json.Unmarshal(a.Body, &p) == nil &&
		(p.Code == api.ProblemCodeOverloaded || p.Code == api.ProblemCodeDatabaseUnavailable || p.Code == api.ProblemCodeContention)
}

// Answer is the response to a request, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	t       testing.TB
	request string
}

// RequestOption changes a request.
type RequestOption func(*request)

type request struct {
	*http.Request
	offContract bool
}

// Header sets a header of the request.
func Header(name, value string) RequestOption {
	return func(r *request) { r.Header.Set(name, value) }
}

// HeaderLine adds a line of a header to the request.
func HeaderLine(name, value string) RequestOption {
	return func(r *request) { r.Header.Add(name, value) }
}

// OffContract marks a request that is deliberately not what the contract
// describes.
func OffContract(r *request) { r.offContract = true }

// Get sends a GET request. Like the other methods it fails the test, but goes on,
// if there is no answer.
func (c *Client) Get(path string, o ...RequestOption) Answer {
	return c.Send(http.MethodGet, path, nil, o...)
}

// Post sends a POST request with a body as of Send.
func (c *Client) Post(path string, body any, o ...RequestOption) Answer {
	return c.Send(http.MethodPost, path, body, o...)
}

// Put sends a PUT request with a body as of Send.
func (c *Client) Put(path string, body any, o ...RequestOption) Answer {
	return c.Send(http.MethodPut, path, body, o...)
}

// Patch sends a PATCH request with a body as of Send.
func (c *Client) Patch(path string, body any, o ...RequestOption) Answer {
	return c.Send(http.MethodPatch, path, body, o...)
}

// Delete sends a DELETE request without a body.
func (c *Client) Delete(path string, o ...RequestOption) Answer {
	return c.Send(http.MethodDelete, path, nil, o...)
}

// Send sends a request with any method. A body is sent as JSON, an io.Reader or a
// string as it is; nil sends none.
func (c *Client) Send(method, path string, body any, options ...RequestOption) Answer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, c.base+path, reader(c.t, body))
	if err != nil {
		c.t.Errorf("%s %s: %v", method, path, err)
		return Answer{t: c.t}
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	sent := &request{Request: r}
	for _, option := range options {
		option(sent)
	}
	answer := c.exchange(sent)
	for began := time.Now(); c.retryBusy && answer.isBusy() && time.Since(began) < retryLimit; answer = c.exchange(sent) {
		if sent.Body != nil {
			if sent.GetBody == nil {
				break
			}
			if sent.Body, err = sent.GetBody(); err != nil {
				break
			}
		}
		time.Sleep(retryPause)
	}
	return answer
}

func reader(t testing.TB, body any) io.Reader {
	switch b := body.(type) {
	case nil:
		return nil
	case io.Reader:
		return b
	case string:
		return strings.NewReader(b)
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Errorf("body: %v", err)
	}
	return bytes.NewReader(text)
}

func (c *Client) exchange(sent *request) Answer {
	c.t.Helper()
	answer := Answer{t: c.t, request: sent.Method + " " + sent.URL.RequestURI()}
	route, path := theContract().find(sent.Method, sent.URL.EscapedPath())
	if !sent.offContract {
		if route == nil {
			c.t.Errorf("%s is not in the contract", answer.request)
		} else if err := checkRequest(sent.Request, route, path); err != nil {
			c.t.Errorf("%s is not what the contract describes: %v", answer.request, err)
		}
	}
	response, err := c.http.Do(sent.Request)
	if err != nil {
		c.t.Errorf("%s: %v", answer.request, err)
		return answer
	}
	defer func() { _ = response.Body.Close() }()
	if answer.Body, err = io.ReadAll(response.Body); err != nil {
		c.t.Errorf("%s: %v", answer.request, err)
	}
	answer.Status, answer.Header = response.StatusCode, response.Header
	if err := checkAnswer(sent.Request, route, path, answer); err != nil {
		c.t.Errorf("%s: the answer is not what the contract describes: %v\n%d %s", answer.request, err, answer.Status, answer.Body)
	}
	return answer
}

// Want fails the test unless the answer has the status.
func (a Answer) Want(status int) Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Errorf("%s: status %d, want %d\n%s", a.request, a.Status, status, a.Body)
	}
	return a
}

// WantProblem fails the test unless the answer is a problem of the code.
func (a Answer) WantProblem(code *fault.Code) api.Problem {
	a.t.Helper()
	var problem api.Problem
	if a.Status < http.StatusBadRequest || json.Unmarshal(a.Body, &problem) != nil || string(problem.Code) != code.Name {
		a.t.Errorf("%s: %d %s, want the problem %s", a.request, a.Status, a.Body, code.Name)
	}
	return problem
}

// Into decodes the body into value, and fails the test if it cannot.
func (a Answer) Into(value any) {
	a.t.Helper()
	if err := json.Unmarshal(a.Body, value); err != nil {
		a.t.Errorf("%s: %v\n%s", a.request, err, a.Body)
	}
}

// contract is openapi.yaml, made stricter: members of answers that it does not name
// are errors.
type contract struct {
	spec *openapi3.T
}

var theContract = sync.OnceValue(func() *contract {
	spec, err := api.GetSpec()
	if err != nil {
		panic(err) // the generated contract is broken
	}
	none := false
	for _, schema := range spec.Components.Schemas {
		if s := schema.Value; len(s.Properties) > 0 && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
			s.AdditionalProperties.Has = &none
		}
	}
	// Open for clients, so that members may be added, but these must be described.
	spec.Components.Schemas["Problem"].Value.AdditionalProperties.Has = &none
	return &contract{spec}
})

// find returns the operation of a method and a path, with the path's parameters, or
// nil if there is none.
func (c *contract) find(method, path string) (*routers.Route, map[string]string) {
	var best *routers.Route
	var parameters map[string]string
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for template, item := range c.spec.Paths.Map() {
		o := item.GetOperation(method)
		found, fits := match(template, path)
		if o == nil || !fits || best != nil && len(found) >= len(parameters) {
			continue
		}
		best, parameters = &routers.Route{Spec: c.spec, Path: template, PathItem: item, Method: method, Operation: o}, found
	}
	return best, parameters
}

func match(template, path string) (map[string]string, bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	parameters := map[string]string{}
	for i := range want {
		if name, ok := strings.CutPrefix(want[i], "{"); ok {
			parameters[strings.TrimSuffix(name, "}")] = got[i]
		} else if want[i] != got[i] {
			return nil, false
		}
	}
	return parameters, true
}

func validation() *openapi3filter.Options {
	return &openapi3filter.Options{
		MultiError: true, IncludeResponseStatus: true, SkipSettingDefaults: true,
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{
			openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562)),
			openapi3.WithStringFormatValidator("email", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForEmail)),
		},
	}
}

func checkRequest(r *http.Request, route *routers.Route, path map[string]string) error {
	// A copy, because the validator reads and changes the request.
	r = r.Clone(context.Background())
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return err
		}
		r.Body = body
	}
	return openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: path, Route: route, Options: validation()})
}

// commonHeaders need no description with each answer: HTTP's own, those for
// browsers, and Cache-Control, X-Request-Id, RateLimit and RateLimit-Policy, which the contract describes once for all
// answers.
var commonHeaders = []string{"Cache-Control", "Content-Length", "Content-Type", "Date", "Vary", "Ratelimit", "Ratelimit-Policy",
	"Content-Security-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Referrer-Policy", "X-Content-Type-Options", "X-Frame-Options",
	"X-Request-Id"}

// isDescribed reports whether the contract describes a header of an answer.
func isDescribed(name string, documented openapi3.Headers) bool {
	if slices.Contains(commonHeaders, name) || strings.HasPrefix(name, "Access-Control-") {
		return true
	}
	for known := range documented {
		if http.CanonicalHeaderKey(known) == name {
			return true
		}
	}
	return false
}

func checkAnswer(r *http.Request, route *routers.Route, path map[string]string, a Answer) error {
	if a.Header.Get("X-Request-Id") == "" {
		return fmt.Errorf("no X-Request-Id")
	}
	if a.Status >= http.StatusBadRequest && r.Method != http.MethodHead {
		if err := checkProblem(route, a); err != nil {
			return err
		}
	}
	// The contract has no operation for a path or method that does not exist.
	if route == nil || a.Status == http.StatusMethodNotAllowed {
		return nil
	}
	documented := route.Operation.Responses.Status(a.Status)
	if documented == nil {
		return fmt.Errorf("status %d is not documented", a.Status)
	}
	for name := range a.Header {
		if !isDescribed(name, documented.Value.Headers) {
			return fmt.Errorf("the header %s is not documented for status %d", name, a.Status)
		}
	}
	options := validation()
	options.ExcludeResponseBody = strings.HasPrefix(a.Header.Get("Content-Type"), "text/html")
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: route},
		Status:                 a.Status, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)), Options: options,
	})
}

// wrongPlural is a counted noun that should be a singular.
var wrongPlural = regexp.MustCompile(`\b1 (attendee|booking|character|day|entrie|event|field|item|minute|second|seat|slot|step|token|user)s\b`)

// isSentence says whether a text ends with one full stop, and counts as one should.
func isSentence(text string) bool {
	return strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "..") && !wrongPlural.MatchString(text)
}

// checkProblem checks what is true for all problems.
func checkProblem(route *routers.Route, a Answer) error {
	var p api.Problem
	if err := json.Unmarshal(a.Body, &p); err != nil {
		return fmt.Errorf("not a problem: %w", err)
	}
	code := fault.Lookup(string(p.Code))
	switch {
	case a.Header.Get("Content-Type") != "application/problem+json":
		return fmt.Errorf("content type %q", a.Header.Get("Content-Type"))
	case code == nil:
		return fmt.Errorf("unknown code %q", p.Code)
	case code.Status != a.Status || p.Status != a.Status || p.Type != "/problems/"+code.Name || p.Title != code.Title || p.Retryable != code.Retryable:
		return fmt.Errorf("differs from the catalogue's %s", code.Name)
	case !isSentence(p.Detail) || p.Instance == "":
		return fmt.Errorf("no instance, or the detail %q is no sentence", p.Detail)
	case p.RequestID != a.Header.Get("X-Request-Id") && a.Header.Get("Idempotent-Replayed") == "":
		return fmt.Errorf("request_id %q is not X-Request-Id", p.RequestID)
	case code.Retryable != (a.Header.Get("Retry-After") != ""):
		return fmt.Errorf("retryable is %t, Retry-After %q", code.Retryable, a.Header.Get("Retry-After"))
	case wrongPlural.Match(a.Body):
		return fmt.Errorf("it says %s", wrongPlural.Find(a.Body))
	case a.Status == http.StatusUnauthorized && a.Header.Get("WWW-Authenticate") == "":
		return fmt.Errorf("no WWW-Authenticate")
	}
	if err := checkMembers(code, a.Body); err != nil {
		return err
	}
	if route == nil || a.Status == http.StatusMethodNotAllowed {
		return nil
	}
	listed, _ := route.Operation.Extensions["x-problems"].([]any)
	if !slices.Contains(listed, any(code.Name)) {
		return fmt.Errorf("%s is not among the x-problems of %s", code.Name, route.Operation.OperationID)
	}
	return nil
}

// checkMembers checks for the members that every problem of a code has, and that
// none has a member that belongs to others only.
func checkMembers(code *fault.Code, problem []byte) error {
	var members map[string]any
	if err := json.Unmarshal(problem, &members); err != nil {
		return err
	}
	for name, schema := range theContract().spec.Components.Schemas["Problem"].Value.Properties {
		codes, _ := schema.Value.Extensions["x-problems"].([]any)
		value, there := members[name]
		list, _ := value.([]any)
		switch belongs := slices.Contains(codes, any(code.Name)); {
		case belongs && !there:
			return fmt.Errorf("%s lacks its member %s", code.Name, name)
		case there && !belongs && len(codes) > 0:
			return fmt.Errorf("%s has the member %s of %v", code.Name, name, codes)
		case list != nil && len(list) == 0 && !belongs:
			return fmt.Errorf("%s has an empty member %s, which should be left out", code.Name, name)
		}
	}
	return nil
}
