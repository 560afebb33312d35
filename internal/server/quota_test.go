package server_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// Keys are refused to who has used too many, but not for giving back, and not to who
// repeats a request.
func TestIdempotencyKeysHaveAQuota(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Quotas.Keys = 2 })
	_, me := h.user(access.Organizer)
	_, other := h.user(access.Attendee)
	bookings := "/api/v1/slots/" + testkit.Slot(t, h.pool, testkit.Event(t, h.pool).ID).ID.String() + "/bookings"
	key := func(value string) testkit.RequestOption { return testkit.Header("Idempotency-Key", value) }
	first := me.Post(bookings, `{}`, key("1")).Want(http.StatusCreated)
	cancel := "/api/v1/bookings/" + made(first) + "/cancel"
	me.Post(cancel, `{}`, key("2")).Want(http.StatusOK)
	me.Post(bookings, `{}`, key("1")).Want(http.StatusCreated)
	me.Post(bookings, `{}`, key("3")).WantProblem(fault.QuotaExceeded)
	me.Post("/api/v1/events", `{"title": "Draft", "time_zone": "UTC"}`, key("4")).WantProblem(fault.QuotaExceeded)
	me.Post(cancel, `{}`, key("5")).Want(http.StatusOK)
	me.Post(bookings, `{}`).Want(http.StatusCreated)
	other.Post(bookings, `{}`, key("3")).Want(http.StatusCreated)
	testkit.Exec(t, h.pool, "UPDATE idempotency_keys SET created_at = created_at - interval '1 day'")
	me.Post("/api/v1/events", `{"title": "Draft", "time_zone": "UTC"}`, key("4")).Want(http.StatusCreated)
}

// However many drafts an organizer makes at once, they have as many as the quota says.
func TestDraftsHaveAQuota(t *testing.T) {
	t.Parallel()
	h := newEnv(t, func(c *server.Config) { c.Quotas.Drafts = 3 })
	_, me := h.user(access.Organizer)
	_, other := h.user(access.Organizer)
	draft := `{"title": "Draft", "time_zone": "UTC"}`
	var made atomic.Int32
	var making sync.WaitGroup
	for range 12 {
		making.Go(func() {
			if a := me.Post("/api/v1/events", draft); a.Status == http.StatusCreated {
				made.Add(1)
			} else {
				a.WantProblem(fault.DraftLimit)
			}
		})
	}
	making.Wait()
	if made.Load() != 3 {
		t.Errorf("%d drafts", made.Load())
	}
	other.Post("/api/v1/events", draft).Want(http.StatusCreated)
	testkit.Exec(t, h.pool, "UPDATE events SET status = 'cancelled', cancelled_at = now() WHERE id = (SELECT id FROM events WHERE organizer_id IN (SELECT organizer_id FROM events GROUP BY 1 HAVING count(*) > 1) LIMIT 1)")
	me.Post("/api/v1/events", draft).Want(http.StatusCreated)
}
