package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/internal/access"
)

// accessLog logs one line for each request. For privacy it has neither the query nor any
// header, and no e-mail address. If the client hung up, the status says so, and the answer
// that it would have got, or has got if it only stopped sending, is beside it.
func accessLog(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			began := time.Now()
			if err := next(c); err != nil {
				c.Error(err) // writes the answer, so that the status below is the one sent
			}
			r, response := c.Request(), c.Response()
			status := response.Status
			if hasHungUp(r.Context()) {
				status = statusHungUp
			}
			attributes := []slog.Attr{
				slog.String("method", r.Method),
				slog.String("path", loggedPath(r.URL)),
				slog.Int("status", status),
				slog.Int64("bytes", response.Size),
				slog.Duration("took", time.Since(began)),
				slog.String("request_id", RequestID(r.Context())),
				slog.String("ip", c.RealIP()),
			}
			if status == statusHungUp {
				attributes = append(attributes, slog.Int("answer", response.Status))
			}
			if caller := access.CallerFrom(r.Context()); caller.IsKnown() {
				attributes = append(attributes, slog.String("user_id", caller.UserID.String()))
			}
			log.LogAttrs(r.Context(), slog.LevelInfo, "request", attributes...)
			return nil
		}
	}
}

// emailSegment is a segment of a path with an e-mail address in it, escaped or not, or twice.
var emailSegment = regexp.MustCompile(`[^/]*(?:@|%(?:25)*40)[^/]*`)

// loggedPath is the path of a request, with an asterisk in place of each segment that has
// an e-mail address: people try what the API does not have, such as /users/me@example.com.
func loggedPath(u *url.URL) string {
	path := u.EscapedPath()
	if !strings.ContainsAny(path, "@%") {
		return path
	}
	return emailSegment.ReplaceAllString(path, "*")
}

// panicError is a recovered panic, to be rendered and logged like other errors.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// recoverPanics turns a panic into an error, so that it ends only its own request.
func recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler: // how a handler tells net/http to hang up
				panic(p)
			default:
				err = &panicError{value: p, stack: debug.Stack()}
			}
		}()
		return next(c)
	}
}
