//go:build unix

package server_test

import (
	"net/http"
	"strings"
	"testing"

	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// A page of an origin that was named may book; one of another may not, and by
// default none.
func TestPagesOfOtherOrigins(t *testing.T) {
	t.Parallel()
	const friend, stranger = "https://shop.example.com", "https://elsewhere.example.com"
	open := openHouse(t, func(c *server.Config) { c.CORSOrigins = []string{friend} })
	closed := openHouse(t)
	for _, c := range []struct {
		env     *env
		origin  string
		allowed string
	}{{open, friend, friend}, {open, stranger, ""}, {closed, friend, ""}} {
		from := testkit.Header("Origin", c.origin)
		read := c.env.Get("/api/v1/events", from).Want(http.StatusOK)
		if got := read.Header.Get("Access-Control-Allow-Origin"); got != c.allowed {
			t.Errorf("for %s: allowed is %q, want %q", c.origin, got, c.allowed)
		}
		if c.allowed != "" && !strings.Contains(read.Header.Get("Access-Control-Expose-Headers"), "ETag") {
			t.Errorf("ETag is hidden: %v", read.Header)
		}
		ask := c.env.Send(http.MethodOptions, "/api/v1/slots/"+testkit.ID().String()+"/bookings", nil, testkit.OffContract, from,
			testkit.Header("Access-Control-Request-Method", "POST"),
			testkit.Header("Access-Control-Request-Headers", "authorization,content-type,idempotency-key"))
		granted := ask.Status == http.StatusNoContent && ask.Header.Get("Access-Control-Allow-Origin") == c.allowed &&
			strings.Contains(ask.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key")
		if granted != (c.allowed != "") {
			t.Errorf("for %s: %d %v", c.origin, ask.Status, ask.Header)
		}
	}
}
