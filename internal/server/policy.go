package server

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"

	"eventbooking/internal/idempotency"

	"github.com/labstack/echo/v4"
)

// dataPolicy is the content security policy (W3C, Level 3) of everything but pages:
// a browser that shows it anyway loads nothing for it.
const dataPolicy = "default-src 'none'; frame-ancestors 'none'"

// pagePolicy returns the content security policy of the given pages: they load only
// from this server, and inline scripts and styles run only if their hashes are
// listed.
func pagePolicy(pages ...[]byte) string {
	return "default-src 'none'; script-src 'self'" + hashes(scripts, pages) + "; style-src 'self'" + hashes(styles, pages) +
		"; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

var (
	scripts = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	styles  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
)

func hashes(inline *regexp.Regexp, pages [][]byte) string {
	var all strings.Builder
	for _, page := range pages {
		for _, found := range inline.FindAllSubmatch(page, -1) {
			sum := sha256.Sum256(found[1])
			all.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
		}
	}
	return all.String()
}

// securityHeaders sets headers that keep browsers from guessing content types, sending
// referrers, and running scripts that are not ours.
func securityHeaders(pages string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			header := c.Response().Header()
			header.Set(echo.HeaderXContentTypeOptions, "nosniff")
			header.Set(echo.HeaderReferrerPolicy, "no-referrer")
			c.Response().Before(func() {
				policy := dataPolicy
				if strings.HasPrefix(header.Get(echo.HeaderContentType), "text/html") {
					policy = pages
				}
				header.Set(echo.HeaderContentSecurityPolicy, policy)
			})
			return next(c)
		}
	}
}

// renderPage returns the body that a handler answers to a GET.
func renderPage(h http.Handler, path string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := idempotency.Record(func(w http.ResponseWriter) error {
		h.ServeHTTP(w, r)
		return nil
	})
	return answer.Body, err
}
