package server

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/internal/fault"
)

// maxBody bounds a request's body: the largest that the contract allows, an
// event's description of 10,000 characters, fits well.
const maxBody = 64 << 10

// deadline gives each request a deadline. Whatever waits for the database or for
// the desk waits with it.
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

// limitBody refuses bodies that are too large: at once when their size is told, and
// while they are read when it is not.
func limitBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.ContentLength > maxBody {
			return bodyTooLarge()
		}
		r.Body = http.MaxBytesReader(c.Response(), r.Body, maxBody)
		return next(c)
	}
}

func bodyTooLarge() error {
	return fault.BodyTooLarge.Newf("The body is larger than %d KiB.", maxBody>>10)
}
