//go:build unix

package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/testkit"
)

// Whoever changes the key in a cursor gets a page or a refusal, also for keys that no
// row can have.
func TestForgedCursorsAreHarmless(t *testing.T) {
	testkit.SkipIfShort(t, "it sends a thousand requests")
	t.Parallel()
	h := newEnv(t)
	caller, admin := h.user(access.Admin)
	event := testkit.Event(t, h.pool)
	var slot string
	for i := range 3 {
		day := 24 * time.Hour * time.Duration(1+i)
		slot = testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1), testkit.Times(day, day+time.Hour)).ID.String()
		admin.Post("/api/v1/slots/"+slot+"/bookings", `{}`).Want(http.StatusCreated)
		testkit.Event(t, h.pool)
	}
	for range 3 {
		_, other := h.user(access.Attendee)
		other.Post("/api/v1/slots/"+slot+"/bookings", `{"if_full": "waitlist"}`).Want(http.StatusCreated)
		h.token(caller) // for the list of tokens
	}
	for _, list := range []string{
		"/api/v1/events?when=all", "/api/v1/events?when=all&sort=-starts_at", "/api/v1/events?when=all&sort=created_at", "/api/v1/events?when=all&sort=-created_at",
		"/api/v1/events/" + event.ID.String() + "/slots?", "/api/v1/events/" + event.ID.String() + "/bookings?", "/api/v1/slots/" + slot + "/bookings?",
		"/api/v1/slots/" + slot + "/ledger?", "/api/v1/slots/" + slot + "/waitlist?", "/api/v1/users?", "/api/v1/me/tokens?",
		"/api/v1/me/bookings?", "/api/v1/me/bookings?when=upcoming", "/api/v1/me/conflicts?starts_at=2020-01-01T00:00:00Z&ends_at=2100-01-01T00:00:00Z",
	} {
		var page struct {
			NextCursor string `json:"next_cursor"`
		}
		list += "&limit=1"
		admin.Get(list, wrong).Want(http.StatusOK).Into(&page)
		for _, forged := range forgeries(t, page.NextCursor) {
			if answer := admin.Get(list+"&cursor="+forged, wrong); answer.Status >= 500 {
				key, _ := base64.RawURLEncoding.DecodeString(forged)
				t.Errorf("%s with %s: %d %s", list, key, answer.Status, answer.Body)
			}
		}
	}
}

// forgeries are copies of a cursor, each with an extreme value in one place of its key.
func forgeries(t *testing.T, text string) (all []string) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	var cursor struct {
		List string          `json:"l"`
		Key  json.RawMessage `json:"k"`
	}
	if err != nil || json.Unmarshal(raw, &cursor) != nil || len(cursor.Key) == 0 {
		t.Fatalf("no cursor: %q", text)
	}
	extremes := []string{"9223372036854775807", "-9223372036854775808", "2147483648", "0", "-1", "null", `""`, `"x"`, "true", "[]", "{}",
		`"0001-01-01T00:00:00Z"`, `"0000-01-01T00:00:00Z"`, `"9999-12-31T23:59:59.999999999Z"`, `"2026-01-01T00:00:00+24:00"`, `"2026-01-01T00:00:00+23:59"`,
		`"00000000-0000-0000-0000-000000000000"`, `"ffffffff-ffff-ffff-ffff-ffffffffffff"`}
	forge := func(key string) {
		all = append(all, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"l":%q,"k":%s}`, cursor.List, key)))
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(cursor.Key, &members) != nil {
		members = nil
	}
	for _, extreme := range extremes {
		forge(extreme)
		for name, value := range members {
			forge(strings.Replace(string(cursor.Key), fmt.Sprintf("%q:%s", name, value), fmt.Sprintf("%q:%s", name, extreme), 1))
		}
	}
	return all
}
