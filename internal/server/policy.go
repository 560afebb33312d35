package server

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
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

// securityHeaders are on every answer. Browsers do not guess content types, send no
// referrers, show nothing in frames of other pages, and embed nothing in them: who may
// read an answer from another origin is said by cors.
var securityHeaders = http.Header{
	echo.HeaderXContentTypeOptions:   {"nosniff"},
	echo.HeaderXFrameOptions:         {"DENY"},
	echo.HeaderReferrerPolicy:        {"no-referrer"},
	echo.HeaderContentSecurityPolicy: {dataPolicy},
	"Cross-Origin-Resource-Policy":   {"same-origin"},
}

// onlyTLS makes browsers use TLS for a year, where the service itself serves it.
const onlyTLS = "max-age=31536000"

// secure sets the security headers, and the policy of pages if the answer is one.
func secure(pages string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			header := c.Response().Header()
			maps.Copy(header, securityHeaders) // the values are shared: nobody changes them
			if c.IsTLS() {
				header.Set(echo.HeaderStrictTransportSecurity, onlyTLS)
			}
			c.Response().Before(func() {
				if strings.HasPrefix(header.Get(echo.HeaderContentType), "text/html") {
					header.Set(echo.HeaderContentSecurityPolicy, pages)
					header.Set("Cross-Origin-Opener-Policy", "same-origin")
				}
			})
			return next(c)
		}
	}
}

// withServerOptions answers "OPTIONS *", about the server as a whole, which net/http would
// answer without the security headers.
func withServerOptions(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions || r.RequestURI != "*" {
			next.ServeHTTP(w, r)
			return
		}
		maps.Copy(w.Header(), securityHeaders)
		w.Header().Set(echo.HeaderContentLength, "0")
	})
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
