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

// dataPolicy is for what is no page (W3C, Content Security Policy Level 3): a
// browser that shows it anyway loads nothing for it.
const dataPolicy = "default-src 'none'; frame-ancestors 'none'"

// pagePolicy is under what our pages work: they load from us alone, and run the
// scripts and styles that are written into them, known by their hashes, and no
// others.
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

// securityHeaders keeps browsers from taking an answer for something else than it says,
// and from running in our pages what is not ours.
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

// pageOf is what a handler answers to a GET, for one whose answer never changes.
func pageOf(h http.Handler, path string) ([]byte, error) {
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
