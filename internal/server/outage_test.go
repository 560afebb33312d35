//go:build unix

package server_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/postgres/embedded"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// With the database stopped under it, the service says so in time and goes on
// living; with the database back, all of it works again: requests, the desk, the
// workers.
func TestOutage(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	database := startDatabase(t, dir)
	// Before the env: it is stopped first.
	t.Cleanup(func() { _ = database.Stop(context.Background()) })
	if err := postgres.MigrateUp(t.Context(), database.URL()); err != nil {
		t.Fatal(err)
	}
	h := openHouse(t, func(c *server.Config) { c.DatabaseURL, c.RequestTimeout = database.URL(), 0 })
	h.Client = testkit.NewClient(t, h.Base())
	_, first := h.user(access.Attendee)
	_, second := h.user(access.Attendee)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(1))
	path := "/api/v1/slots/" + slot.ID.String() + "/bookings"
	var taken, waiting api.Booking
	first.Post(path, `{}`).Want(http.StatusCreated).Into(&taken)
	second.Post(path, `{"if_full": "waitlist"}`).Want(http.StatusCreated).Into(&waiting)
	cancel := "/api/v1/bookings/" + taken.ID.String() + "/cancel"

	if err := database.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Get("/livez").Want(http.StatusOK)
	h.Get("/readyz").WantProblem(fault.DatabaseUnavailable)
	h.Get("/api/v1/events").WantProblem(fault.DatabaseUnavailable)
	first.Post(cancel, `{}`).WantProblem(fault.DatabaseUnavailable)

	database = startDatabase(t, dir)
	eventually(t, "ready again", func() bool { return h.Get("/readyz").Status == http.StatusOK })
	// A connection from before the outage may be found out only by the next who uses it.
	eventually(t, "able to cancel", func() bool { return first.Post(cancel, `{}`).Status == http.StatusOK })
	eventually(t, "promoted by the job that the cancellation left", func() bool {
		answer := second.Get("/api/v1/bookings/" + waiting.ID.String())
		var done bool
		err := h.pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM river.river_job WHERE kind = 'promote' AND state = 'completed')").Scan(&done)
		if answer.Status != http.StatusOK || err != nil {
			return false
		}
		answer.Into(&waiting)
		return waiting.Status == api.BookingStatusConfirmed && done
	})
}

func startDatabase(t *testing.T, dir string) *embedded.Server {
	t.Helper()
	database, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return database
}

// shortDir is a directory for a PostgreSQL: the path of its socket must be short,
// and another user than root must be able to enter it.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "evb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// eventually waits until something is so, and fails when it takes too long for
// anybody.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	const patience = 30 * time.Second
	for deadline := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not %s after %s", what, patience)
		}
	}
}
