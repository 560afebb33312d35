package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
	"github.com/labstack/echo/v4"
)

// compressFrom is the size from which on bodies are compressed, in bytes: smaller ones
// fit into one packet anyway.
const compressFrom = 1 << 10

// compress compresses answers with gzip, for callers who accept that. What must not be
// compressed is marked by uncompressed.
func compress(next http.Handler) (http.Handler, error) {
	large, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom), gzhttp.EnableZstd(false))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	all, err := gzhttp.NewWrapper(gzhttp.MinSize(1), gzhttp.EnableZstd(false))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gzip, identity := acceptedCodings(r.Header.Values(echo.HeaderAcceptEncoding))
		// The library and the files of Swagger UI look for the word gzip only.
		r = r.Clone(r.Context())
		r.Header.Del(echo.HeaderAcceptEncoding)
		if gzip {
			r.Header.Set(echo.HeaderAcceptEncoding, "gzip")
		}
		// HEAD has the headers of GET. The library does not compress it, so it is shown a GET.
		shown := *r
		if r.Method == http.MethodHead {
			shown.Method = http.MethodGet
		}
		wrap := large
		if !identity {
			wrap = all
		}
		wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { next.ServeHTTP(w, r) })).ServeHTTP(w, &shown)
	}), nil
}

// uncompressed marks answers that must stay as they are: a strong ETag stands for these
// bytes and comes back in If-Match, and the length of a compressed body tells of the
// secrets in it.
func uncompressed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		c.Response().Before(func() {
			if tag := header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") || strings.Contains(header.Get(cacheControl), noStore) {
				header.Set(gzhttp.HeaderNoCompression, "true")
			}
		})
		return next(c)
	}
}

// acceptedCodings says whether the lines of an Accept-Encoding header accept gzip, at
// least as much as no coding (identity) if they name both, and whether they accept no
// coding (RFC 9110, section 12.5.3).
func acceptedCodings(lines []string) (gzip, identity bool) {
	weights := map[string]float64{}
	for entry := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		coding, parameter, _ := strings.Cut(entry, ";")
		name, q, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			q = ""
		}
		weights[strings.ToLower(strings.TrimSpace(coding))] = weight(strings.TrimSpace(q))
	}
	others, all := weights["*"]
	zipped, named := weights["gzip"]
	if !named {
		zipped = others
	}
	plain, named := weights["identity"]
	return zipped > 0 && zipped >= plain, plain > 0 || !named && (!all || others > 0)
}
