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
