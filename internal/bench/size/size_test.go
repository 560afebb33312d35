//go:build unix

package size

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"eventbooking"
	"eventbooking/gen/db"
	"eventbooking/internal/audit"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/seating"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// filled is a database of some events.
func filled(t *testing.T, events int) string {
	t.Helper()
	url := testkit.DatabaseURL(t)
	must(t, Fill(t.Context(), url, events, func(string, int, int) {}))
	return url
}

// The doctor finds nothing, not even anything late, and each ledger alone says the same
// of its slot.
func TestFilledRowsAreSound(t *testing.T) {
	t.Parallel()
	pool := testkit.Connect(t, filled(t, 300))
	findings, err := audit.Doctor(t.Context(), pool, nil)
	must(t, err)
	for _, f := range findings {
		t.Error(f)
	}
	rows, err := pool.Query(t.Context(), "SELECT * FROM ledger ORDER BY slot_id, version")
	must(t, err)
	ledger, err := pgx.CollectRows(rows, pgx.RowToStructByName[db.Ledger])
	must(t, err)
	for len(ledger) > 0 {
		end := slices.IndexFunc(ledger, func(l db.Ledger) bool { return l.SlotID != ledger[0].SlotID })
		if end < 0 {
			end = len(ledger)
		}
		var entries []seating.Entry
		for _, l := range ledger[:end] {
			entries = append(entries, entryOf(l))
		}
		if _, err := audit.Replay(entries); err != nil {
			t.Error(err)
		}
		ledger = ledger[end:]
	}
}

// entryOf is what Replay looks at of an entry.
func entryOf(l db.Ledger) seating.Entry {
	e := seating.Entry{SlotID: l.SlotID, Version: l.Version, Kind: seating.Kind(l.Kind), Seats: int(l.Seats),
		Capacity: int(l.Capacity), SeatsTaken: int(l.SeatsTaken), WaitlistLength: int(l.WaitlistLength)}
	if l.BookingID != nil {
		e.BookingID, e.UserID, e.Status = *l.BookingID, *l.UserID, seating.Status(*l.Status)
	}
	if l.CauseSlotID != nil {
		e.Cause = seating.Cause{SlotID: *l.CauseSlotID, Version: *l.CauseVersion}
	}
	return e
}

// What the measurement is about is there at every size, in proportion.
func TestFilledRowsAreInProportion(t *testing.T) {
	t.Parallel()
	const events = 1000
	url := filled(t, events)
	for what, bounds := range map[string]struct {
		sql         string
		least, most int
	}{
		"events":             {"SELECT count(*) FROM events", events, events},
		"slots":              {"SELECT count(*) FROM slots", 2.8 * events, 3.2 * events},
		"bookings":           {"SELECT count(*) FROM bookings", 1.2 * events, 1.6 * events},
		"entries":            {"SELECT count(*) FROM ledger", 9 * events, 12 * events},
		"past events":        {"SELECT count(*) FROM events WHERE ends_at < now()", 0.7 * events, 0.85 * events},
		"ongoing events":     {"SELECT count(*) FROM events WHERE starts_at <= now() AND ends_at > now()", 1, 0.05 * events},
		"drafts":             {"SELECT count(*) FROM events WHERE status = 'draft'", 1, 0.1 * events},
		"events without one": {"SELECT count(*) FROM events WHERE starts_at IS NULL", 1, 0.1 * events},
		"cancelled slots":    {"SELECT count(*) FROM slots WHERE status = 'cancelled'", 1, 0.2 * events},
		"the longest queue":  {"SELECT max(waitlist_length) FROM slots", 40, 40},
		"the largest crowd":  {"SELECT max(seats_taken) FROM slots", 60, 60},
		"holds":              {"SELECT count(*) FROM bookings WHERE status = 'held'", 1, 0.05 * events},
		"queues":             {"SELECT count(*) FROM slots WHERE waitlist_length > 0", 2, 0.05 * events},
		"users who left":     {"SELECT count(*) FROM users WHERE deleted_at IS NOT NULL", 1, events},
		"indexes":            {"SELECT count(*) FROM pg_class WHERE relkind = 'i' AND relname = 'bookings_no_overlap'", 1, 1},
		"queues not noted":   {"SELECT count(*) FROM slots WHERE has_queue <> (waitlist_length > 0)", 0, 0},
		"held up, not noted": {"SELECT count(*) FROM slots WHERE is_held_up <> (waitlist_ready > 0 AND seats_taken < capacity AND promotion_due_at IS NULL AND status <> 'cancelled')", 0, 0},
		"left to cancel": {`SELECT (SELECT count(*) FROM slots WHERE status = 'cancelled' AND bookings_cancelled_at IS NULL)
		                         + (SELECT count(*) FROM events WHERE status = 'cancelled' AND slots_cancelled_at IS NULL)`, 0, 0},
		"left of the plan": {"SELECT count(*) FROM pg_namespace WHERE nspname = 'fill'", 0, 0},
	} {
		if n := testkit.QueryOn[int](t, url, bounds.sql); n < bounds.least || n > bounds.most {
			t.Errorf("%s: %d, want %d to %d", what, n, bounds.least, bounds.most)
		}
	}
}

func TestFillRefuses(t *testing.T) {
	t.Parallel()
	url := filled(t, MinEvents)
	if err := Fill(t.Context(), url, MinEvents, func(string, int, int) {}); !errors.Is(err, errNotEmpty) {
		t.Errorf("a filled database: %v", err)
	}
	if err := Fill(t.Context(), testkit.DatabaseURL(t), MinEvents-1, func(string, int, int) {}); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("too few events: %v", err)
	}
}

// served is a filled database with the service.
func served(t *testing.T, name string, events int) *world {
	t.Helper()
	w := &world{name: name, url: filled(t, events)}
	app, err := server.New(t.Context(), server.Config{
		DatabaseURL: w.url, MaxConns: 4, Workers: true, RequestTimeout: time.Minute, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	must(t, app.Start(t.Context(), nil))
	listener := httptest.NewServer(app.Handler())
	t.Cleanup(func() {
		listener.Close()
		must(t, app.Stop(context.Background()))
	})
	w.Landmarks, err = Find(t.Context(), w.url)
	must(t, err)
	w.client = lab.NewClient(listener.URL)
	t.Cleanup(w.client.Close)
	return w
}

// Every operation that only reads is measured, except those that answer without the
// database or about a token alone.
func TestEveryReadIsMeasured(t *testing.T) {
	t.Parallel()
	spec, err := openapi3.NewLoader().LoadFromData(eventbooking.Spec)
	must(t, err)
	var paths []string
	for _, r := range reads(Landmarks{}, time.Now()) {
		path, _, _ := strings.Cut(r.path, "?")
		paths = append(paths, path)
	}
	parameter := regexp.MustCompile(`\{\w+\}`)
	for template, item := range spec.Paths.Map() {
		path, isOfAPI := strings.CutPrefix(template, "/api/v1")
		if item.Get == nil || !isOfAPI || item.Get.OperationID == "getToken" {
			continue
		}
		pattern := regexp.MustCompile("^" + parameter.ReplaceAllString(path, "[^/]+") + "$")
		if !slices.ContainsFunc(paths, pattern.MatchString) {
			t.Errorf("%s is not in reads", item.Get.OperationID)
		}
	}
}

// Every request of the measurement is answered as it should be, and the tables have it.
func TestEveryRequestIsAnswered(t *testing.T) {
	t.Parallel()
	worlds := [2]*world{served(t, "small", 100), served(t, "large", 300)}
	m := &measurement{rounds: 1, progress: func(string, int, int) {}}
	requests, err := m.requests(t.Context(), worlds)
	must(t, err)
	var pairs []pair
	for _, r := range requests {
		p := pair{name: r[1].name, small: timed{read: r[0]}, large: timed{read: r[1]}}
		for w, of := range r {
			if a := worlds[w].client.As(of.as).Get(t.Context(), of.path); a.Want(200, nil) != nil {
				t.Errorf("%s: %s: %d %s %v", worlds[w].name, of.path, a.Status, a.Body, a.Err)
			}
		}
		pairs = append(pairs, p)
	}
	if !slices.ContainsFunc(pairs, func(p pair) bool { return p.name == "events all -created_at, page 100" }) {
		t.Error("no list has a far page")
	}
	took, err := m.act(t.Context(), worlds)
	must(t, err)
	var out strings.Builder
	must(t, writeReads(&out, pairs))
	must(t, writeActions(&out, took))
	for _, a := range actions {
		if !strings.Contains(out.String(), a.name) {
			t.Errorf("%s is not in the table", a.name)
		}
	}
	for _, w := range worlds {
		testkit.Sound(t, testkit.Connect(t, w.url))
	}
}

// The hundredth page is the one that 99 steps lead to.
func TestFarPage(t *testing.T) {
	t.Parallel()
	w := served(t, "large", 2000)
	far, there := w.far(t.Context(), read{path: "/events?when=all&sort=created_at", as: w.Admin})
	if !there {
		t.Fatal("there is no far page")
	}
	var page struct {
		Data []struct{ ID uuid.UUID }
	}
	must(t, w.client.As(w.Admin).Get(t.Context(), with(far.path, "limit", "1")).Want(200, &page))
	expected := testkit.QueryOn[string](t, w.url, "SELECT id::text FROM events ORDER BY created_at, id OFFSET 1485 LIMIT 1")
	if page.Data[0].ID.String() != expected {
		t.Errorf("it starts with %s, want %s", page.Data[0].ID, expected)
	}
	if _, there := w.far(t.Context(), read{path: "/users?role=admin", as: w.Admin}); there {
		t.Error("a list of one has a far page")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
