package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// corsAge is how long a browser may cache the answer to a preflight request.
const corsAge = 2 * time.Hour

// anyOrigin stands for all origins.
const anyOrigin = "*"

// CheckOrigins returns an error for what no browser sends as an Origin, or what looks like
// a pattern: an origin is compared as a whole, and only "*", alone, stands for all.
func CheckOrigins(origins []string) error {
	for _, origin := range origins {
		u, err := url.Parse(origin)
		switch {
		case origin == anyOrigin && len(origins) > 1:
			return errors.New(`"*" allows every origin: leave the others out, or "*"`)
		case origin == anyOrigin:
		case strings.Contains(origin, "*"):
			return fmt.Errorf("%q is a pattern, and origins are compared as a whole: list each one, such as https://shop.example.com, or use * alone for all", origin)
		case err != nil || u.Scheme == "" || u.Hostname() == "" || !strings.EqualFold(origin, u.Scheme+"://"+u.Host) || !isASCII(origin):
			return fmt.Errorf("%q is not an origin: use scheme and host only, in ASCII, such as https://shop.example.com", origin)
		case origin != asSent(u):
			return fmt.Errorf("browsers send %q as %q: write it so", origin, asSent(u))
		}
	}
	return nil
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

// asSent is an origin as browsers send it: in lower case and without the scheme's own port.
func asSent(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + strings.TrimSuffix(host, ":")
}

// cors lets pages of these origins call the API; "*" means all. Tokens are sent by
// the page, not added by the browser as cookies are, so no page can act for a user
// who did not give it a token.
func cors(origins []string) echo.MiddlewareFunc {
	if len(origins) == 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	config := middleware.CORSConfig{
		AllowMethods:  []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowHeaders:  []string{"Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Traceparent"},
		ExposeHeaders: []string{"Accept", "Accept-Encoding", "Accept-Patch", "ETag", "Idempotent-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-Id"},
		MaxAge:        int(corsAge.Seconds()),
	}
	if !slices.Contains(origins, anyOrigin) {
		// A list of origins would be taken for patterns.
		config.AllowOriginFunc = func(origin string) (bool, error) { return slices.Contains(origins, origin), nil }
	}
	return middleware.CORSWithConfig(config)
}
