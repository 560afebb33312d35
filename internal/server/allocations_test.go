//go:build unix && !race

package server_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/account"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// allocations are how many objects a request of the hottest operations allocates, from
// the router to the answer, the desk's part included. They depend on nothing but the
// code and the versions of Go and the modules. Who changes them on purpose writes the
// new figure here; a comparison (make bench) says what it costs.
var allocations = map[string]int{
	"listEvents":          1235,
	"getEvent":            267,
	"getSlot":             199,
	"getMe":               178,
	"listMyBookings":      312,
	"getWaitlistPosition": 226,
	"createBooking":       1192,
	"createHold":          1222,
	"confirmBooking":      1160,
	"cancelBooking":       1194,
}

// limitedAllocations are those with all limits on.
var limitedAllocations = map[string]int{
	"listEvents":          1287,
	"getEvent":            310,
	"getSlot":             242,
	"getMe":               221,
	"listMyBookings":      355,
	"getWaitlistPosition": 269,
	"createBooking":       1242,
	"createHold":          1272,
	"confirmBooking":      1210,
	"cancelBooking":       1235,
}

// measuredRequests is how often each is sent; the first ones prepare statements.
const measuredRequests = 41

func TestAllocationsOfTheHottestOperations(t *testing.T) {
	testkit.SkipIfPooled(t, "statements that are not prepared allocate more")
	t.Run("limits off", func(t *testing.T) { measureAllocations(t, allocations) })
	t.Run("limits on", func(t *testing.T) { measureAllocations(t, limitedAllocations, limited("bookings=1000/1m")) })
}

func measureAllocations(t *testing.T, want map[string]int, edits ...func(*server.Config)) {
	// Without workers, whose timers allocate as well, and with one connection, since each
	// prepares its statements once.
	h := newEnv(t, append(edits, func(c *server.Config) {
		c.Workers, c.MaxConns, c.Log = false, 1, slog.New(slog.DiscardHandler)
	})...)
	caller, secret := testkit.User(t, h.pool, access.Attendee), account.NewSecret()
	h.issue(caller, secret)
	event := testkit.Event(t, h.pool)
	for range 15 {
		testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	}
	slot := testkit.Slot(t, h.pool, event.ID, testkit.Capacity(1)).ID.String()
	_, other := h.user(access.Attendee)
	other.Post("/api/v1/slots/"+slot+"/bookings", map[string]any{}).Want(http.StatusCreated)
	// Times with six digits, so that answers are as long each time: some grow their buffers
	// once more for a byte.
	testkit.Exec(t, h.pool, `UPDATE slots SET starts_at = date_trunc('hour', starts_at) + interval '123456 us', ends_at = date_trunc('hour', ends_at) + interval '123456 us'`)
	testkit.Exec(t, h.pool, `UPDATE events SET created_at = '2026-01-02 03:04:05.123456Z', updated_at = '2026-01-02 03:04:05.123456Z', published_at = '2026-01-02 03:04:05.123456Z'`)
	m := meter{t: t, handler: h.app.Handler(), token: string(secret), counts: map[string][]int{}}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would empty the pools of objects

	waiting := m.send("", http.MethodPost, "/slots/"+slot+"/bookings", `{"if_full":"waitlist"}`)
	free := testkit.Slot(t, h.pool, event.ID, testkit.Times(100*time.Hour, 101*time.Hour)).ID.String()
	for range measuredRequests {
		m.send("listEvents", http.MethodGet, "/events?limit=15")
		m.send("getEvent", http.MethodGet, "/events/"+event.ID.String())
		m.send("getSlot", http.MethodGet, "/slots/"+slot)
		m.send("getMe", http.MethodGet, "/me")
		m.send("listMyBookings", http.MethodGet, "/me/bookings?limit=1")
		m.send("getWaitlistPosition", http.MethodGet, "/bookings/"+waiting+"/waitlist-position")
		booking := m.send("createBooking", http.MethodPost, "/slots/"+free+"/bookings")
		m.send("cancelBooking", http.MethodPost, "/bookings/"+booking+"/cancel")
		hold := m.send("createHold", http.MethodPost, "/slots/"+free+"/holds")
		m.send("confirmBooking", http.MethodPost, "/bookings/"+hold+"/confirm")
		m.send("", http.MethodPost, "/bookings/"+hold+"/cancel")
	}
	m.compare(want)
}

// meter counts what requests allocate.
type meter struct {
	t       *testing.T
	handler http.Handler
	token   string
	counts  map[string][]int
}

// send sends a request, counts it under a name, and returns the id in the answer.
func (m *meter) send(name, method, path string, body ...string) string {
	m.t.Helper()
	r := httptest.NewRequest(method, "/api/v1"+path, nil)
	if method == http.MethodPost {
		r = httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(append(body, "{}")[0]))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", testkit.ID().String())
	}
	r.Header.Set("Authorization", "Bearer "+m.token)
	w := httptest.NewRecorder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m.handler.ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	if w.Code >= http.StatusBadRequest {
		m.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	m.counts[name] = append(m.counts[name], int(after.Mallocs-before.Mallocs))
	var answer struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		m.t.Fatal(err)
	}
	return answer.ID
}

// compare compares the medians, since now and then something in the background
// allocates as well.
func (m *meter) compare(want map[string]int) {
	delete(m.counts, "")
	for name, counts := range m.counts {
		slices.Sort(counts)
		if got := counts[len(counts)/2]; got != want[name] {
			m.t.Errorf("%s: %d allocations, want %d (%v)", name, got, want[name], counts)
		}
	}
	if len(m.counts) != len(want) {
		m.t.Errorf("%d operations were measured of %d", len(m.counts), len(want))
	}
}
