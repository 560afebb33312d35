package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"eventbooking/internal/account"
	"eventbooking/internal/limit"
)

func TestRateLimitsAreChangesOfTheDefaults(t *testing.T) {
	for text, change := range map[string]func(RateLimits){
		"":    func(RateLimits) {},
		"off": func(r RateLimits) { clear(r) },
		"reads=5/10s,searches=off": func(r RateLimits) {
			r[classReads] = limit.Rate{Quota: 5, Window: 10 * time.Second}
			delete(r, classSearches)
		},
		DefaultRateLimits().String(): func(RateLimits) {},
	} {
		want := DefaultRateLimits()
		change(want)
		if got, err := ParseRateLimits(text); err != nil || got.String() != want.String() {
			t.Errorf("%q: %s, want %s (%v)", text, got, want, err)
		}
	}
	for text, want := range map[string]string{
		"read=5/1s":     `there is no class "read"; there are anonymous, bookings,`,
		"reads":         `reads: "" is not a rate`,
		"reads=0/1s":    "such as 300/1m",
		"reads=5/1ms":   "whole seconds from 1s",
		"reads=5/1.5s":  "whole seconds",
		"reads=5/48h":   "24h",
		"reads=5/1m,":   `there is no class ""`,
		"reads=-1/1m":   "number of requests",
		"reads=5/1m/1m": "such as 300/1m",
	} {
		if _, err := ParseRateLimits(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Whoever sends something else than a token counts for their address, whatever it is:
// otherwise they could take the places of another user, whose id counts for that user.
func TestWhatIsNoTokenCountsForItsAddress(t *testing.T) {
	operations, err := loadOperations()
	if err != nil {
		t.Fatal(err)
	}
	w := newInWork(Concurrency{Requests: 4, Caller: 2}, allowances{})
	const address = "192.0.2.1"
	token := string(account.NewSecret())
	for bearer, want := range map[string]string{"": address, uuid.NewString(): address, "198.51.100.7": address, "evb_x": address, token: token} {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/me", nil)
		r.RemoteAddr = address + ":1234"
		if bearer != "" {
			r.Header.Set(echo.HeaderAuthorization, "Bearer "+bearer)
		}
		if who, _ := w.callerOf(operations["getMe"], echo.New().NewContext(r, nil), classReads); who != want {
			t.Errorf("%q counts for %q", bearer, who)
		}
	}
}
