//go:build unix

package server_test

import (
	"net/http"
	"strings"
	"testing"

	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

func TestOnlyTheConfiguredOriginsMayCallTheAPI(t *testing.T) {
	t.Parallel()
	const configured, other = "https://shop.example.com", "https://elsewhere.example.com"
	withOrigin := newEnv(t, func(c *server.Config) { c.CORSOrigins = []string{configured} })
	byDefault := newEnv(t)
	for _, c := range []struct {
		env     *env
		origin  string
		allowed string
	}{{withOrigin, configured, configured}, {withOrigin, other, ""}, {byDefault, configured, ""}} {
		from := testkit.Header("Origin", c.origin)
		read := c.env.Get("/api/v1/events", from).Want(http.StatusOK)
		if got := read.Header.Get("Access-Control-Allow-Origin"); got != c.allowed {
			t.Errorf("for %s: allowed is %q, want %q", c.origin, got, c.allowed)
		}
		if c.allowed != "" && !strings.Contains(read.Header.Get("Access-Control-Expose-Headers"), "ETag") {
			t.Errorf("ETag is not exposed: %v", read.Header)
		}
		preflight := c.env.Send(http.MethodOptions, "/api/v1/slots/"+testkit.ID().String()+"/bookings", nil, testkit.OffContract, from,
			testkit.Header("Access-Control-Request-Method", "POST"),
			testkit.Header("Access-Control-Request-Headers", "authorization,content-type,idempotency-key"))
		granted := preflight.Status == http.StatusNoContent && preflight.Header.Get("Access-Control-Allow-Origin") == c.allowed &&
			strings.Contains(preflight.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key")
		if granted != (c.allowed != "") {
			t.Errorf("for %s: %d %v", c.origin, preflight.Status, preflight.Header)
		}
	}
}

func TestOriginsAreExact(t *testing.T) {
	t.Parallel()
	for _, origins := range [][]string{nil, {"*"}, {"https://shop.example.com", "http://localhost:3000", "http://[::1]:3000", "capacitor://localhost"}} {
		if err := server.CheckOrigins(origins); err != nil {
			t.Errorf("%q: %v", origins, err)
		}
	}
	for says, all := range map[string][][]string{
		"is a pattern":     {{"https://*"}, {"*://shop.example.com"}, {"https://*.example.com"}, {"https://shop.example.*"}, {"https://shop.example.com:*"}, {"**"}, {"https://shop.example.com", "http*"}},
		"leave the others": {{"*", "https://shop.example.com"}, {"https://shop.example.com", "*"}, {"*", "*"}},
		"is not an origin": {{"null"}, {""}, {"shop.example.com"}, {"https://"}, {"https://:443"}, {"https://shop.example.com/"}, {"https://shop?.example.com"}, {"https://me@shop.example.com"}, {"https://sh\u00f6p.example.com"}, {" https://shop.example.com"}},
		"browsers send":    {{"https://Shop.example.com"}, {"https://shop.example.com:443"}, {"http://shop.example.com:80"}, {"https://shop.example.com:"}, {"HTTPS://shop.example.com"}},
	} {
		for _, origins := range all {
			if err := server.CheckOrigins(origins); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%q: %v, want an error with %q", origins, err, says)
			}
		}
	}
}

// Whatever gets past the check of settings, an origin is no pattern.
func TestOriginsAreNoPatterns(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) {
		c.Workers = false
		c.CORSOrigins = []string{"https://*", "https://*.example.com", "https://sho?.example.com", "https://shop.example.com"}
	})
	for origin, allowed := range map[string]string{
		"https://shop.example.com": "https://shop.example.com", "https://evil.test": "", "https://evil.example.com": "", "https://a.shop.example.com": "",
		"https://shop-example.com": "", "https://shop.example.com.evil.test": "", "http://shop.example.com": "", "https://shop.example.com:8443": "", "null": "", "*": "",
	} {
		answer := h.Get("/api/v1/events", testkit.Header("Origin", origin)).Want(http.StatusOK)
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != allowed {
			t.Errorf("for %s: allowed is %q, want %q", origin, got, allowed)
		}
	}
}
