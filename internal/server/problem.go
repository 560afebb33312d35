package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/gen/api"
	"eventbooking/internal/fault"
	"eventbooking/internal/idempotency"
)

// retryLater is the default of Retry-After.
const retryLater = time.Second

// renderProblem is the one place where errors become answers, whether they are from
// a use case, the validator, the router or a panic.
func renderProblem(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		r, response := c.Request(), c.Response()
		f := faultOf(err)
		if f.Code == fault.MethodNotAllowed && r.Method == http.MethodDelete && r.URL.Path == "/api/v1/me" {
			f = errDeletionNeedsPassword()
		}
		// What fails for a client that hung up is nobody's failure: the answer that
		// cannot be sent, and a wait for the database that nobody asks for any more.
		unasked := hasHungUp(r.Context()) && (response.Committed || f.Retryable)
		if f.Status >= http.StatusInternalServerError && !unasked {
			logFailure(r.Context(), log, r, f, err)
		}
		if response.Committed {
			return // part of another answer was sent already
		}
		answer := problem(f, r.URL.EscapedPath(), RequestID(r.Context()))
		if err := answer.Write(response); err != nil {
			log.DebugContext(r.Context(), "the answer could not be sent", "error", err)
		}
	}
}

// logFailure logs an error that is not the caller's.
func logFailure(ctx context.Context, log *slog.Logger, r *http.Request, f *fault.Error, err error) {
	attributes := []slog.Attr{
		slog.String("code", f.Name), slog.String("error", err.Error()),
		slog.String("method", r.Method), slog.String("path", loggedPath(r.URL)),
		slog.String("request_id", RequestID(ctx)),
	}
	if p := new(panicError); errors.As(err, &p) {
		attributes = append(attributes, slog.String("stack", string(p.stack)))
	}
	level := slog.LevelWarn
	if f.Code == fault.Internal {
		level = slog.LevelError
	}
	log.LogAttrs(ctx, level, "request failed", attributes...)
}

// faultOf returns the fault that tells callers about an error. Of an unforeseen error
// they learn no details. Errors of the database are faults already: here, an error of
// the network would be the client's connection.
func faultOf(err error) *fault.Error {
	var (
		framework *echo.HTTPError
		tooLarge  *http.MaxBytesError
	)
	switch f := fault.Of(err); {
	case f != nil && f.Retryable && f.RetryAfter == 0:
		return f.After(retryLater)
	case f != nil:
		return f
	case errors.As(err, &tooLarge):
		return fault.Of(errBodyTooLarge())
	case errors.As(err, &framework):
		return faultOfFramework(framework)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault.Overloaded.New("The request could not be served in time.").After(retryLater)
	}
	return errInternal()
}

func errInternal() *fault.Error { return fault.Internal.New("An unexpected error occurred.") }

// faultOfFramework translates errors of Echo and of the generated code.
func faultOfFramework(err *echo.HTTPError) *fault.Error {
	switch {
	case err.Code == http.StatusNotFound:
		return fault.NotFound.New("This path does not exist.")
	case err.Code == http.StatusMethodNotAllowed:
		return fault.MethodNotAllowed.New("This path does not support this method; see the Allow header.")
	case err.Code == http.StatusUnsupportedMediaType:
		return fault.UnsupportedMediaType.New("Send application/json as the body's Content-Type.")
	case err.Code == http.StatusBadRequest && err.Internal != nil:
		return fault.MalformedBody.New("The body does not match the schema of this operation.")
	case err.Code == http.StatusBadRequest:
		return fault.InvalidParameters.New(strings.TrimSuffix(fmt.Sprint(err.Message), ".") + ".")
	}
	return errInternal()
}

// errDeletionNeedsPassword tells those who delete themselves as in earlier versions how it
// is done now.
func errDeletionNeedsPassword() *fault.Error {
	return fault.MethodNotAllowed.New("Deleting your user needs your password: send POST /api/v1/me/deletion with current_password.")
}

// problem renders a fault as a problem (RFC 9457).
func problem(f *fault.Error, instance, requestID string) idempotency.Response {
	body, err := json.Marshal(problemBody(f, instance, requestID))
	if err != nil { // a member that JSON cannot represent
		return problem(errInternal(), instance, requestID)
	}
	header := map[string]string{echo.HeaderContentType: "application/problem+json"}
	if f.RetryAfter > 0 {
		header[echo.HeaderRetryAfter] = strconv.Itoa(int((f.RetryAfter + time.Second - 1) / time.Second))
	}
	if f.Status == http.StatusUnauthorized {
		header[echo.HeaderWWWAuthenticate] = challenge(f.Code)
	}
	return idempotency.Response{Status: f.Status, Header: header, Body: append(body, '\n')}
}

func problemBody(f *fault.Error, instance, requestID string) api.Problem {
	m := f.Members
	p := api.Problem{
		Type: problemType(f.Code), Title: f.Title, Status: f.Status, Detail: f.Detail,
		Instance: instance, Code: api.ProblemCode(f.Name), RequestID: requestID, Retryable: f.Retryable,

		BookingID: m.BookingID, BookingIds: m.BookingIDs, Capacity: m.Capacity, ClosedAt: m.ClosedAt, Count: m.Count, From: m.From, To: m.To,
		Held: m.Held, Item: m.Item, Items: m.Items, Limit: m.Limit, OpensAt: m.OpensAt, RetryAt: m.RetryAt, Seats: m.Seats, SeatsTaken: m.SeatsTaken,
		SlotID: m.SlotID, SlotVersion: m.SlotVersion, WaitlistOpen: m.WaitlistOpen,
	}
	if len(m.Checks) > 0 {
		p.Checks = readinessChecks(m.Checks)
	}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, api.FieldProblem{
			Pointer: notEmpty(field.Pointer), Parameter: notEmpty(field.Parameter), Code: field.Code, Detail: field.Detail})
	}
	return p
}

// notEmpty returns a pointer to a text, or nil if it is empty.
func notEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func problemType(code *fault.Code) string { return "/problems/" + code.Name }

// challenge returns WWW-Authenticate (RFC 6750, section 3).
func challenge(code *fault.Code) string {
	if code == fault.TokenInvalid || code == fault.TokenExpired {
		return `Bearer error="invalid_token"`
	}
	return "Bearer"
}
