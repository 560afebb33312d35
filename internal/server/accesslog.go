package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/internal/access"
)

// accessLog writes one line for each request when it is answered. It has neither
// the query nor any header: what people search for and who they are is theirs.
func accessLog(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			began := time.Now()
			if err := next(c); err != nil {
				c.Error(err) // answers, so that the status below is the one that went out
			}
			r, response := c.Request(), c.Response()
			attributes := []slog.Attr{
				slog.String("method", r.Method),
				slog.String("path", r.URL.EscapedPath()),
				slog.Int("status", response.Status),
				slog.Int64("bytes", response.Size),
				slog.Duration("took", time.Since(began)),
				slog.String("request_id", RequestID(r.Context())),
				slog.String("ip", c.RealIP()),
			}
			if caller := access.CallerFrom(r.Context()); caller.IsKnown() {
				attributes = append(attributes, slog.String("user_id", caller.UserID.String()))
			}
			log.LogAttrs(r.Context(), slog.LevelInfo, "request", attributes...)
			return nil
		}
	}
}

// panicked is a panic on its way to where errors are rendered and logged.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// recoverPanics turns a panic into an error: it costs its own request only.
func recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler: // how a handler tells net/http to hang up
				panic(p)
			default:
				err = &panicked{value: p, stack: debug.Stack()}
			}
		}()
		return next(c)
	}
}
