//go:build unix

package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/internal/access"
	"eventbooking/internal/audit"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// A process is killed while it cancels the bookings of a deleted user. Nobody takes the
// job over so soon, but the ticker of another process does the rest.
func TestBookingsOfADeletedUserAreCancelledThoughTheWorkerIsKilled(t *testing.T) {
	testkit.SkipIfShort(t, "it waits for the ticker")
	t.Parallel()
	url := testkit.DatabaseURL(t)
	h := newEnv(t, func(c *server.Config) { c.DatabaseURL, c.Workers = url, false })
	caller, me := h.user(access.Attendee)
	desk, event := testkit.Desk(t, testkit.Connect(t, url)), testkit.Event(t, h.pool)
	const bookings = 40
	var last uuid.UUID
	for i := range bookings {
		starts := time.Duration(24+i) * time.Hour
		last = testkit.Slot(t, h.pool, event.ID, testkit.Times(starts, starts+time.Hour)).ID
		testkit.Book(t, desk, last, caller.UserID, 1)
	}
	const left = "SELECT count(*) FROM bookings WHERE status = 'confirmed'"
	count := func(sql string) (n int) {
		if err := h.pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}

	// The job cannot end while one of the slots is locked.
	tx, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM slots WHERE id = $1 FOR UPDATE", last); err != nil {
		t.Fatal(err)
	}
	worker := testkit.StartJob(t, work, url, nil)
	worker.Wait()
	me.Post("/api/v1/me/deletion", leave).Want(http.StatusNoContent)
	eventually(t, "some bookings are cancelled", func() bool { return count(left) < bookings })
	worker.Kill()
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(left); n == 0 || count("SELECT count(*) FROM river.river_job WHERE kind = 'leave' AND state = 'running'") != 1 {
		t.Fatalf("%d bookings are left, and the job does not run", n)
	}
	testkit.Exec(t, h.pool, "UPDATE users SET deleted_at = deleted_at - interval '1 minute' WHERE deleted_at IS NOT NULL")
	if n := warnings(t, h); n == 0 {
		t.Error("the doctor does not know what the job has left undone")
	}

	newEnv(t, func(c *server.Config) { c.DatabaseURL = url })
	eventually(t, "no booking of the user is left", func() bool { return count(left) == 0 })
	if n := warnings(t, h); n != 0 {
		t.Errorf("%d warnings", n)
	}
	testkit.Sound(t, h.pool)
}

// warnings counts what the doctor finds late.
func warnings(t *testing.T, h *env) (n int) {
	t.Helper()
	findings, err := audit.Doctor(t.Context(), h.pool, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Warning {
			n++
		}
	}
	return n
}
