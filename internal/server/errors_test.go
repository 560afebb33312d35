//go:build unix

package server_test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

// refusal is the answer to a request, and the code that it should have.
type refusal struct {
	answer testkit.Answer
	want   *fault.Code
}

func TestInvalidRequestsAreRefusedWithTheirCodesAndWithoutEffect(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, me := h.user(access.Attendee)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	book := "/api/v1/slots/" + slot.ID.String() + "/bookings"
	ledger := h.rows("ledger")
	for _, refusals := range []map[string]refusal{
		invalidBodies(h, me, book), invalidTokens(h, me, book), invalidParameters(h, me, book), invalidPaths(me, book),
	} {
		for name, r := range refusals {
			problem := r.answer.WantProblem(r.want)
			if r.want == fault.ValidationFailed && len(problem.Errors) == 0 {
				t.Errorf("%s: no errors: %s", name, r.answer.Body)
			}
		}
	}
	if n := h.rows("bookings"); n != 0 {
		t.Errorf("%d bookings were made", n)
	}
	if n := h.rows("ledger"); n != ledger {
		t.Errorf("%d ledger entries were written", n-ledger)
	}
	if n := h.rows("idempotency_keys"); n != 0 {
		t.Errorf("%d idempotency keys were stored", n)
	}
}

var (
	header = testkit.Header
	wrong  = testkit.OffContract
)

func invalidBodies(h *env, me *testkit.Client, book string) map[string]refusal {
	const login = "/api/v1/auth/login"
	asText := header("Content-Type", "text/plain")
	return map[string]refusal{
		"bad JSON":                {me.Post(book, `{"seats": `, wrong), fault.MalformedBody},
		"two values":              {me.Post(book, `{} {}`, wrong), fault.MalformedBody},
		"a member twice":          {me.Post(book, `{"seats": 1, "seats": 2}`, wrong), fault.MalformedBody},
		"no UTF-8":                {me.Post(book, "{\"if_full\": \"\xff\"}", wrong), fault.MalformedBody},
		"no body":                 {me.Post(book, "", wrong), fault.MalformedBody},
		"unknown field":           {me.Post(book, `{"seat": 1}`, wrong), fault.ValidationFailed},
		"field in other case":     {me.Post(book, `{"Seats": 1}`, wrong), fault.ValidationFailed},
		"wrong type":              {me.Post(book, `{"seats": "1"}`, wrong), fault.ValidationFailed},
		"no object":               {me.Post(book, `[1]`, wrong), fault.ValidationFailed},
		"a fraction":              {me.Post(book, `{"seats": 1.5}`, wrong), fault.ValidationFailed},
		"a huge number":           {me.Post(book, `{"seats": 1e999}`, wrong), fault.ValidationFailed},
		"an integer with a point": {me.Post(book, `{"seats": 1.0}`, wrong), fault.ValidationFailed},
		"too few":                 {me.Post(book, `{"seats": 0}`, wrong), fault.ValidationFailed},
		"no choice":               {me.Post(book, `{"if_full": "wait"}`, wrong), fault.ValidationFailed},
		"NUL":                     {h.Post(login, `{"email": "a@b.c", "password": "\u0000"}`, wrong), fault.ValidationFailed},
		"no e-mail":               {h.Post(login, `{"email": "a", "password": "x"}`, wrong), fault.ValidationFailed},
		"wrong password":          {h.Post(login, `{"email": "nobody@test.com", "password": "x"}`), fault.InvalidCredentials},
		"content type":            {me.Post(book, `{}`, asText, wrong), fault.UnsupportedMediaType},
		"content encoding":        {me.Post(book, `{}`, header("Content-Encoding", "gzip"), wrong), fault.UnsupportedMediaType},
		"no content type":         {me.Post(book, `{}`, header("Content-Type", ""), wrong), fault.UnsupportedMediaType},
		"too large":               {me.Post(book, strings.Repeat(" ", 65<<10), wrong), fault.BodyTooLarge},
		"too large, unannounced":  {me.Post(book, io.MultiReader(strings.NewReader(strings.Repeat(" ", 65<<10))), wrong), fault.BodyTooLarge},
	}
}

func invalidTokens(h *env, me *testkit.Client, book string) map[string]refusal {
	return map[string]refusal{
		"no token":             {h.Post(book, `{}`), fault.TokenMissing},
		"no Bearer":            {h.Post(book, `{}`, header("Authorization", "Basic eDp5")), fault.TokenInvalid},
		"bad token":            {h.As("evb_x").Post(book, `{}`), fault.TokenInvalid},
		"unknown token":        {h.As(string(account.NewSecret())).Post(book, `{}`), fault.TokenInvalid},
		"token where optional": {h.As("evb_x").Get("/api/v1/events"), fault.TokenInvalid},
		"others' list":         {me.Get("/api/v1/users"), fault.NotPermitted},
	}
}

func invalidParameters(h *env, me *testkit.Client, book string) map[string]refusal {
	return map[string]refusal{
		"unknown slot":          {me.Post("/api/v1/slots/"+testkit.ID().String()+"/bookings", `{}`), fault.NotFound},
		"no UUID":               {me.Post("/api/v1/slots/7/bookings", `{}`, wrong), fault.InvalidParameters},
		"a braced UUID":         {me.Get("/api/v1/bookings/{"+testkit.ID().String()+"}", wrong), fault.InvalidParameters},
		"unknown parameter":     {me.Get("/api/v1/me/bookings?page=2", wrong), fault.InvalidParameters},
		"parameter twice":       {me.Get("/api/v1/me/bookings?limit=2&limit=3", wrong), fault.InvalidParameters},
		"bad parameter":         {me.Get("/api/v1/me/bookings?limit=many", wrong), fault.InvalidParameters},
		"limit too small":       {me.Get("/api/v1/me/bookings?limit=0", wrong), fault.InvalidParameters},
		"no such status":        {me.Get("/api/v1/me/bookings?status=confirmed,lost", wrong), fault.InvalidParameters},
		"missing parameter":     {me.Get("/api/v1/me/conflicts?starts_at=2026-12-01T18:00:00Z", wrong), fault.InvalidParameters},
		"no such day":           {me.Get("/api/v1/me/conflicts?starts_at=2026-02-31T18:00:00Z&ends_at=2026-12-01T18:00:00Z", wrong), fault.InvalidParameters},
		"bad query":             {me.Get("/api/v1/me/bookings?limit=%zz", wrong), fault.InvalidParameters},
		"NUL in the query":      {h.Get("/api/v1/events?q=%00", wrong), fault.InvalidParameters},
		"no UTF-8 in the query": {h.Get("/api/v1/events?q=%ff", wrong), fault.InvalidParameters},
		"bad cursor":            {me.Get("/api/v1/me/bookings?cursor=x", wrong), fault.InvalidCursor},
		"key too long":          {me.Post(book, `{}`, header("Idempotency-Key", strings.Repeat("k", 256)), wrong), fault.IdempotencyKeyInvalid},
		"key with a space":      {me.Post(book, `{}`, header("Idempotency-Key", "a b"), wrong), fault.IdempotencyKeyInvalid},
	}
}

func invalidPaths(me *testkit.Client, book string) map[string]refusal {
	return map[string]refusal{
		"unknown route":   {me.Get("/api/v1/seats", wrong), fault.NotFound},
		"route too long":  {me.Get("/problems/slot_full/x", wrong), fault.NotFound},
		"wrong method":    {me.Put(book, `{}`, wrong), fault.MethodNotAllowed},
		"no such asset":   {me.Get("/docs/nothing.js", wrong), fault.NotFound},
		"no such problem": {me.Get("/problems/nothing"), fault.NotFound},
		"not acceptable":  {me.Get("/problems/slot_full", header("Accept", "image/png")), fault.NotAcceptable},
	}
}

// invalidRequests have the errors that their problems list.
var invalidRequests = []struct {
	method, path, body string
	want               []string
}{
	{"POST", "/api/v1/auth/register", `{"email": "x", "password": "short", "age": 7}`, []string{
		"/age unknown_field: is not a field of this object",
		"/email format: must be an e-mail address",
		"/name required: is required",
		"/password minLength: must have at least 8 characters",
	}},
	{"POST", "/api/v1/me/tokens", `{"name": 1, "abilities": ["me:read", "me:read", "fly"], "expires_at": "tomorrow"}`, []string{
		"/abilities uniqueItems: must not contain duplicate items",
		"/abilities/2 enum: must be one of *, me:read, me:write, bookings:read, bookings:write, events:read, events:write, users:read, users:write",
		"/expires_at format: must be a time such as 2026-12-01T18:00:00Z (RFC 3339)",
		"/name type: must be a string",
	}},
	{"PATCH", "/api/v1/me", `{}`, []string{" minProperties: must have at least 1 field"}},
	{"PATCH", "/api/v1/me", `{"name": null}`, []string{"/name nullable: must not be null"}},
	// Omitted, it has a default; null is not the same as omitted.
	{"POST", "/api/v1/auth/login", `{"email": "a@b.cd", "password": "x", "token_name": null}`, []string{"/token_name nullable: must not be null"}},
	{"POST", "/api/v1/bookings", `{"items": [{"slot_id": "0197a5c0-7a10-7c3e-9d52-0b6a5f1e2d01", "seats": null}]}`,
		[]string{"/items/0/seats nullable: must not be null"}},
	// What is found while the body is scanned, with what the validator finds.
	{"POST", "/api/v1/auth/login", `{"email": "a\u0000", "password": "\ud800", "token_name": null, "age": 7}`, []string{
		"/age unknown_field: is not a field of this object",
		"/email nul: must not contain the character U+0000",
		"/password surrogate: must not contain the lone surrogate U+D800",
		"/token_name nullable: must not be null",
	}},
	// An integer for JSON, but not for its decoder.
	{"POST", "/api/v1/bookings", `{"items": [{"slot_id": "0197a5c0-7a10-7c3e-9d52-0b6a5f1e2d01"}, {"slot_id": "0197a5c0-7a10-7c3e-9d52-0b6a5f1e2d02", "seats": 1.0}], "x": 1e0}`, []string{
		"/items/1/seats type: must be an integer, without a fraction or an exponent",
		"/x unknown_field: is not a field of this object",
	}},
	{"GET", "/api/v1/me/bookings?limit=0&status=", "", []string{
		"limit minimum: must be at least 1",
		"status empty: must not be empty",
	}},
}

func TestValidationNamesEveryInvalidFieldAndItsRule(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, me := h.user(access.Attendee)
	for _, c := range invalidRequests {
		var body any
		if c.body != "" {
			body = c.body
		}
		answer := me.Send(c.method, c.path, body, testkit.OffContract)
		var problem struct{ Errors []fault.Field }
		answer.Into(&problem)
		var got []string
		for _, f := range problem.Errors {
			got = append(got, f.Pointer+f.Parameter+" "+f.Code+": "+f.Detail)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s %s %s:\n%s\nwant\n%s", c.method, c.path, c.body, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestMethodNotAllowedListsTheAllowedMethods(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	allow := h.Put("/api/v1/events", `{}`, testkit.OffContract).Want(http.StatusMethodNotAllowed).Header.Get("Allow")
	for _, method := range []string{"GET", "HEAD", "POST"} {
		if !strings.Contains(allow, method) {
			t.Errorf("Allow: %s lacks %s", allow, method)
		}
	}
}

func TestATruncatedBodyIsMalformed(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.Base(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), `"code":"malformed_body"`) {
		t.Errorf("%s %v", answer, err)
	}
}
