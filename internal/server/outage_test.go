//go:build unix

package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"eventbooking/gen/api"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/postgres/embedded"
	"eventbooking/internal/server"
	"eventbooking/internal/simulation"
	"eventbooking/internal/testkit"
)

// During the outage requests get 503 in time. After it requests, the desk and the jobs
// work again.
func TestServiceRecoversFromADatabaseOutage(t *testing.T) {
	testkit.SkipIfShort(t, "it stops and starts a PostgreSQL")
	t.Parallel()
	dir := testkit.ServerDir(t)
	database := startDatabase(t, dir)
	// Registered before the env's cleanup, so that the env stops first.
	t.Cleanup(func() { testkit.StopEmbedded(t, database) })
	if err := postgres.MigrateUp(t.Context(), database.URL()); err != nil {
		t.Fatal(err)
	}
	h := newEnv(t, func(c *server.Config) { c.DatabaseURL, c.RequestTimeout = database.URL(), 0 })
	h.Client = testkit.NewClient(t, h.Base())
	_, first := h.user(access.Attendee)
	_, second := h.user(access.Attendee)
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID, testkit.Capacity(1))
	path := "/api/v1/slots/" + slot.ID.String() + "/bookings"
	var taken, waiting api.Booking
	first.Post(path, `{}`).Want(http.StatusCreated).Into(&taken)
	second.Post(path, `{"if_full": "waitlist"}`).Want(http.StatusCreated).Into(&waiting)
	cancel := "/api/v1/bookings/" + taken.ID.String() + "/cancel"

	testkit.StopEmbedded(t, database)
	h.Get("/livez").Want(http.StatusOK)
	h.Get("/readyz").WantProblem(fault.DatabaseUnavailable)
	h.Get("/api/v1/events").WantProblem(fault.DatabaseUnavailable)
	first.Post(cancel, `{}`).WantProblem(fault.DatabaseUnavailable)

	database = startDatabase(t, dir)
	eventually(t, "the service is ready", func() bool { return h.Get("/readyz").Status == http.StatusOK })
	// A connection from before the outage may be found broken only when it is used.
	eventually(t, "a cancellation succeeds", func() bool { return first.Post(cancel, `{}`).Status == http.StatusOK })
	eventually(t, "the cancellation's job promotes the waiting booking", func() bool {
		answer := second.Get("/api/v1/bookings/" + waiting.ID.String())
		if answer.Status != http.StatusOK || !h.hasPromoteJobCompleted() {
			return false
		}
		answer.Into(&waiting)
		return waiting.Status == api.BookingStatusConfirmed
	})
}

// A read that hangs ends in the server before its request would, and a simulation.
func TestReadsEndInTheDatabase(t *testing.T) {
	testkit.SkipIfShort(t, "it waits for statement timeouts")
	t.Parallel()
	// Neither the request nor its client gives up first.
	h := newEnv(t, func(c *server.Config) { c.Workers, c.RequestTimeout = false, time.Hour })
	slot := testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID)
	tx, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "LOCK TABLE slots"); err != nil {
		t.Fatal(err)
	}
	client := testkit.NewClient(t, h.Base())
	client.Get("/api/v1/slots/" + slot.ID.String()).WantProblem(fault.Overloaded)
	if _, err := simulation.OfSlot(t.Context(), h.pool, slot.ID, simulation.Assumptions{}); !errors.Is(err, fault.Contention) {
		t.Errorf("the simulation: %v", err)
	}
	var running int
	if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()`).Scan(&running); err != nil || running != 0 {
		t.Errorf("%d statements still run, %v", running, err)
	}
}

func (h *env) hasPromoteJobCompleted() (done bool) {
	err := h.pool.QueryRow(h.t.Context(), "SELECT EXISTS (SELECT FROM river.river_job WHERE kind = 'promote' AND state = 'completed')").Scan(&done)
	return err == nil && done
}

// startDatabase starts a PostgreSQL whose stop is the test's business.
func startDatabase(t *testing.T, dir string) *embedded.Server {
	t.Helper()
	database, err := embedded.Start(t.Context(), embedded.Options{DataDir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return database
}
