//go:build unix

package server_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"eventbooking/internal/access"
	"eventbooking/internal/testkit"
)

// plain sends a request as it is: unlike other clients, it decompresses nothing.
func (h *env) plain(method, path, token string, header ...string) testkit.Answer {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.Base()+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return testkit.Answer{Status: response.StatusCode, Header: response.Header, Body: body}
}

// accepts are Accept-Encoding headers with whether they let a large body, and a small
// one, be compressed.
var accepts = map[string]struct {
	lines        []string
	large, small bool
}{
	"none":             {nil, false, false},
	"empty":            {[]string{""}, false, false},
	"gzip":             {[]string{"gzip"}, true, false},
	"GZip":             {[]string{"GZip"}, true, false},
	"a browser's":      {[]string{"gzip, deflate, br, zstd"}, true, false},
	"gzip refused":     {[]string{"gzip;q=0"}, false, false},
	"gzip refused, *":  {[]string{"*, gzip; q=0.0"}, false, false},
	"anything":         {[]string{"*"}, true, false},
	"other codings":    {[]string{"br, zstd"}, false, false},
	"two lines":        {[]string{"br", "gzip"}, true, false},
	"rather none":      {[]string{"gzip;q=0.5, identity"}, false, false},
	"rather gzip":      {[]string{"identity;q=0.5, gzip;q=0.8"}, true, false},
	"identity refused": {[]string{"gzip, identity;q=0"}, true, true},
	"the rest refused": {[]string{"gzip, *;q=0"}, true, true},
}

func TestLargeAnswersAreCompressedForThoseWhoAcceptIt(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	for range 10 {
		testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	}
	const list, small = "/api/v1/events", "/livez"
	want := h.plain("GET", list, "").Body
	for name, accept := range accepts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h.in(t)
			var header []string
			for _, line := range accept.lines {
				header = append(header, "Accept-Encoding", line)
			}
			for _, c := range []struct {
				path       string
				compressed bool
			}{{list, accept.large}, {small, accept.small}} {
				get, head := h.plain("GET", c.path, "", header...), h.plain("HEAD", c.path, "", header...)
				for _, a := range []testkit.Answer{get, head} {
					if compressed := a.Header.Get("Content-Encoding") == "gzip"; compressed != c.compressed {
						t.Errorf("%s: compressed: %t, want %t", c.path, compressed, c.compressed)
					}
					if vary := strings.Join(a.Header.Values("Vary"), ","); strings.Count(vary, "Accept-Encoding") != 1 {
						t.Errorf("%s: Vary: %s", c.path, vary)
					}
				}
				if l := get.Header.Get("Content-Length"); l != "" && l != strconv.Itoa(len(get.Body)) {
					t.Errorf("%s: Content-Length %s of %d bytes", c.path, l, len(get.Body))
				}
				if l := head.Header.Get("Content-Length"); len(head.Body) > 0 || l != "" && l != strconv.Itoa(len(get.Body)) {
					t.Errorf("%s: HEAD has %d bytes, and says %s of %d", c.path, len(head.Body), l, len(get.Body))
				}
				if body := unzipped(t, get); c.path == list && !bytes.Equal(body, want) {
					t.Errorf("%d bytes, want %d", len(body), len(want))
				}
			}
		})
	}
}

// unzipped returns the body as it was before its compression.
func unzipped(t *testing.T, a testkit.Answer) []byte {
	t.Helper()
	if a.Header.Get("Content-Encoding") == "" {
		return a.Body
	}
	r, err := gzip.NewReader(bytes.NewReader(a.Body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestAnswersWithAnETagOrASecretAreNotCompressed(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	event := testkit.Event(t, h.pool)
	testkit.Exec(t, h.pool, "UPDATE events SET description = repeat('long ', 1000) WHERE id = $1", event.ID)
	for _, path := range []string{"/api/v1/events/" + event.ID.String(), "/openapi.yaml", "/openapi.json"} {
		a := h.plain("GET", path, "", "Accept-Encoding", "gzip")
		if a.Header.Get("Content-Encoding") != "" || len(a.Body) < 2000 || a.Header.Get("No-Gzip-Compression") != "" {
			t.Errorf("%s: %v", path, a.Header)
		}
		again := h.plain("GET", path, "", "Accept-Encoding", "gzip", "If-None-Match", a.Header.Get("ETag"))
		if again.Status != http.StatusNotModified || len(again.Body) > 0 || again.Header.Get("ETag") != a.Header.Get("ETag") ||
			again.Header.Get("Content-Encoding") != "" || again.Header.Get("No-Gzip-Compression") != "" {
			t.Errorf("%s again: %d %v", path, again.Status, again.Header)
		}
	}
	_, me := h.user(access.Attendee)
	a := me.Post("/api/v1/me/tokens", map[string]any{"name": strings.Repeat("n", 60), "abilities": []string{"*"}},
		testkit.Header("Accept-Encoding", "gzip, identity;q=0")).Want(http.StatusCreated)
	if a.Header.Get("Content-Encoding") != "" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("an answer with a secret: %v", a.Header)
	}
}

// The files of Swagger UI are stored compressed.
func TestFilesOfSwaggerUIAreSentAsAccepted(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	const path = "/docs/swagger-ui.css"
	zipped, refused := h.plain("GET", path, "", "Accept-Encoding", "gzip"), h.plain("GET", path, "", "Accept-Encoding", "gzip;q=0")
	if zipped.Header.Get("Content-Encoding") != "gzip" || refused.Header.Get("Content-Encoding") != "" || !bytes.Equal(unzipped(t, zipped), refused.Body) {
		t.Errorf("%v of %d bytes, and %v of %d", zipped.Header, len(zipped.Body), refused.Header, len(refused.Body))
	}
	for _, a := range []testkit.Answer{zipped, refused} {
		tag := a.Header.Get("ETag")
		again := h.plain("GET", path, "", "Accept-Encoding", "gzip", "If-None-Match", zipped.Header.Get("ETag"))
		if !strings.HasPrefix(tag, `"`) || again.Status != http.StatusNotModified || !slices.Contains(a.Header.Values("Vary"), "Accept-Encoding") {
			t.Errorf("ETag %s, then %d; Vary: %v", tag, again.Status, a.Header.Values("Vary"))
		}
	}
	if head := h.plain("HEAD", path, "", "Accept-Encoding", "gzip"); head.Header.Get("ETag") != zipped.Header.Get("ETag") || len(head.Body) > 0 {
		t.Errorf("HEAD: %v", head.Header)
	}
}
