package server

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/internal/fault"
)

// maxBody bounds a request's body, in bytes. The largest body of the contract, with an
// event's description of 10,000 characters, fits well.
const maxBody = 64 << 10

// deadline bounds everything in a request that waits for the database or the desk.
func deadline(timeout time.Duration) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, cancel := context.WithTimeout(c.Request().Context(), timeout)
			defer cancel()
			c.SetRequest(c.Request().WithContext(ctx))
			return next(c)
		}
	}
}

// limitBody refuses bodies larger than maxBody: at once if the Content-Length says so,
// otherwise while they are read.
func limitBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.ContentLength > maxBody {
			return errBodyTooLarge()
		}
		r.Body = http.MaxBytesReader(c.Response(), r.Body, maxBody)
		return next(c)
	}
}

func errBodyTooLarge() error {
	return fault.BodyTooLarge.Newf("The body is larger than %d KiB.", maxBody>>10)
}
