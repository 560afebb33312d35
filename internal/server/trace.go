package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/labstack/echo/v4"
)

type traceKey struct{}

// RequestID returns the request's id, which the log has too: the trace id of a valid
// traceparent header (W3C Trace Context), or a new one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

// trace puts the request's id into the context and into X-Request-Id.
func trace(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := traceID(c.Request().Header.Values("Traceparent"))
		if id == "" {
			id = newTraceID()
		}
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), traceKey{}, id)))
		return next(c)
	}
}

// traceID returns the trace id of a traceparent header. An invalid or repeated header
// is ignored (W3C Trace Context, section 3.2.2).
func traceID(headers []string) string {
	if len(headers) != 1 {
		return ""
	}
	// version-traceid-parentid-flags; later versions may append more.
	parts := strings.Split(headers[0], "-")
	if len(parts) < 4 || !isHex(parts[0], 2) || parts[0] == "ff" || parts[0] == "00" && len(parts) != 4 ||
		!isID(parts[1], 32) || !isID(parts[2], 16) || !isHex(parts[3], 2) {
		return ""
	}
	return parts[1]
}

// isID reports whether text is n hexadecimal digits that are not all zero.
func isID(text string, n int) bool { return isHex(text, n) && strings.Trim(text, "0") != "" }

func isHex(text string, n int) bool {
	return len(text) == n && strings.Trim(text, "0123456789abcdef") == ""
}

func newTraceID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}
