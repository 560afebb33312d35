package server

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// corsAge is how long a browser may cache the answer to a preflight request.
const corsAge = 2 * time.Hour

// cors lets pages of these origins call the API; "*" means all. Tokens are sent by
// the page, not added by the browser as cookies are, so no page can act for a user
// who did not give it a token.
func cors(origins []string) echo.MiddlewareFunc {
	if len(origins) == 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	return middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOrigins:  origins,
		AllowMethods:  []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowHeaders:  []string{"Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Traceparent"},
		ExposeHeaders: []string{"Accept", "Accept-Encoding", "Accept-Patch", "ETag", "Idempotent-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-Id"},
		MaxAge:        int(corsAge.Seconds()),
	})
}
