package server

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"eventbooking/internal/view"
)

// joinTags joins several lines of If-Match and If-None-Match, which are one list
// (RFC 9110, section 5.3). The generated code accepts one line only.
func joinTags(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Request().Header
		for _, name := range []string{"If-Match", "If-None-Match"} {
			if lines := header.Values(name); len(lines) > 1 {
				header.Set(name, strings.Join(lines, ", "))
			}
		}
		return next(c)
	}
}

// conditional answers 304 without a body when If-None-Match names the answer's ETag
// (RFC 9110, section 13.1.2). It works for every GET and HEAD with an ETag.
func conditional(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, response := c.Request(), c.Response()
		asked := r.Header.Get("If-None-Match")
		if asked == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
			return next(c)
		}
		response.Before(func() {
			tag := response.Header().Get("ETag")
			if response.Status != http.StatusOK || tag == "" || !view.ParseTags(asked).MatchWeakly(tag) {
				return
			}
			response.Status = http.StatusNotModified
			response.Header().Del(echo.HeaderContentType)
			response.Header().Del(echo.HeaderContentLength)
			response.Writer = headerOnly{response.Writer}
		})
		return next(c)
	}
}

// headerOnly discards the body of an answer that must not have one.
type headerOnly struct{ http.ResponseWriter }

func (headerOnly) Write(b []byte) (int, error) { return len(b), nil }

func (w headerOnly) Unwrap() http.ResponseWriter { return w.ResponseWriter }
