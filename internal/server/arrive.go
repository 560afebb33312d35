package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"eventbooking/internal/fault"
)

// bodyTimeout bounds how long a body may take to arrive. It leaves the rest of the request
// as much of requestTimeout.
const bodyTimeout = 5 * time.Second

// arrived is a body that has been read.
type arrived struct {
	bytes.Reader
	body []byte
}

// Close implements io.Closer.
func (*arrived) Close() error { return nil }

// awaitBody reads the body of a request before anything else is looked at. Who is asking,
// and what they may do, is then found out when nothing is left to wait for: otherwise
// somebody could log in, send half of a request, be logged out or demoted, and send the
// rest.
func awaitBody(o *operation) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if o.RequestBody == nil {
			return next
		}
		return func(c echo.Context) error {
			r, connection := c.Request(), http.NewResponseController(c.Response())
			if bearer, err := bearerOf(r.Header); o.token == tokenRequired && (err != nil || bearer == "") {
				return next(c) // It is refused without the body.
			}
			// What has no connection, as in tests, has no deadline either.
			_ = connection.SetReadDeadline(time.Now().Add(bodyTimeout))
			if err := arrive(r); err != nil {
				return err
			}
			// From here on, only a client that hangs up is noticed.
			_ = connection.SetReadDeadline(time.Time{})
			return next(c)
		}
	}
}

// arrive reads the body of a request.
func arrive(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return errUnreadableBody(err)
	}
	whole := &arrived{body: body}
	whole.Reset(body)
	r.Body, r.ContentLength = whole, int64(len(body))
	return nil
}

// arrivedBody returns the body of a request that has arrived.
func arrivedBody(r *http.Request) []byte { return r.Body.(*arrived).body }

// errUnreadableBody returns why a body could not be read: it is too large or too slow, or
// the caller stopped sending it.
func errUnreadableBody(err error) error {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return errBodyTooLarge()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.MalformedBody.Newf("The body did not arrive within %s.", bodyTimeout)
	}
	return fault.MalformedBody.New("The body could not be read completely.")
}
