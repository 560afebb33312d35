//go:build unix

package server_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventbooking/gen/api"
	"eventbooking/gen/db"
	"eventbooking/internal/access"
	"eventbooking/internal/fault"
	"eventbooking/internal/testkit"
)

// bookingsPath returns the path of the bookings of a new slot.
func (h *env) bookingsPath() string {
	h.t.Helper()
	slot := testkit.Slot(h.t, h.pool, testkit.Event(h.t, h.pool).ID)
	return "/api/v1/slots/" + slot.ID.String() + "/bookings"
}

func TestConcurrentRequestsWithOneKeyHaveOneEffectAndOneAnswer(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	path := h.bookingsPath()
	_, me := h.user(access.Attendee)
	key := testkit.Header("Idempotency-Key", "once")
	answers := make([]testkit.Answer, 8)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = me.Post(path, `{"seats": 2}`, key) })
	}
	group.Wait()
	fresh := 0
	for _, a := range answers {
		a.Want(http.StatusCreated)
		if !bytes.Equal(a.Body, answers[0].Body) {
			t.Errorf("%s and %s", a.Body, answers[0].Body)
		}
		if a.Header.Get("Idempotent-Replayed") == "" {
			fresh++
		}
	}
	if n := h.rows("bookings"); fresh != 1 || n != 1 {
		t.Errorf("%d requests had an effect, %d bookings are there", fresh, n)
	}
}

func TestARepeatedRequestReplaysItsAnswer(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	path := h.bookingsPath()
	_, me := h.user(access.Attendee)
	key := testkit.Header("Idempotency-Key", "once")
	me.Post(path, `{"seats": 2}`, key).Want(http.StatusCreated)
	// The same request, written differently: members with their default values do not matter.
	same := me.Post(path, ` {"if_full": "reject", "seats": 2} `, key).Want(http.StatusCreated)
	if same.Header.Get("Idempotent-Replayed") != "true" {
		t.Error("the repetition was not recognised")
	}
	id := strings.Split(path, "/")[4]
	me.Post(strings.Replace(path, id, strings.ToUpper(id), 1), `{"seats": 2}`, key).Want(http.StatusCreated)
	me.Post(path, `{"seats": 3}`, key).WantProblem(fault.IdempotencyKeyReused)

	// Keys of different users are independent.
	_, other := h.user(access.Attendee)
	if a := other.Post(path, `{"seats": 2}`, key).Want(http.StatusCreated); a.Header.Get("Idempotent-Replayed") != "" {
		t.Error("one user got another's answer")
	}
}

// Whatever refused a request may end, and then the same key must do.
func TestARefusalLeavesItsKeyUnused(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for name, refused := range refusedRequests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := env.in(t)
			r := refused(h)
			key := testkit.Header("Idempotency-Key", name)
			for range 2 {
				if a := r.by.Post(r.path, r.body, key).Want(http.StatusConflict); a.Header.Get("Idempotent-Replayed") != "" {
					t.Errorf("the refusal was replayed: %s", a.Body)
				}
			}
			testkit.Exec(t, h.pool, r.mend, r.event)
			first := r.by.Post(r.path, r.body, key)
			again := r.by.Post(r.path, r.body, key)
			if first.Status >= http.StatusMultipleChoices || !bytes.Equal(first.Body, again.Body) || again.Header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("when nothing refuses it any more: %d %s, then %d %s", first.Status, first.Body, again.Status, again.Body)
			}
		})
	}
}

// refusedRequest is a POST that is refused with 409, until mend was run for the event.
type refusedRequest struct {
	by    *testkit.Client
	path  string
	body  any
	event uuid.UUID
	mend  string
}

// refusedRequests has the operations whose reasons to refuse can end.
var refusedRequests = map[string]func(*env) refusedRequest{
	"createBooking":  func(h *env) refusedRequest { return h.tooEarly("/slots/%s/bookings", `{}`) },
	"createHold":     func(h *env) refusedRequest { return h.tooEarly("/slots/%s/holds", `{}`) },
	"createBookings": func(h *env) refusedRequest { return h.tooEarly("/bookings", `{"items": [{"slot_id": "%s"}]}`) },
	"moveBooking": func(h *env) refusedRequest {
		r := h.tooEarly("/bookings/%s/move", `{"slot_id": "%s"}`)
		testkit.Exec(h.t, h.pool, r.mend, r.event)
		slot := testkit.Slot(h.t, h.pool, r.event)
		var booking api.Booking
		r.by.Post("/api/v1/slots/"+slot.ID.String()+"/bookings", `{}`).Want(http.StatusCreated).Into(&booking)
		testkit.Exec(h.t, h.pool, "UPDATE events SET booking_opens_at = now() + interval '1 hour' WHERE id = $1", r.event)
		r.path = "/api/v1/bookings/" + booking.ID.String() + "/move"
		return r
	},
	"cancelBooking": func(h *env) refusedRequest {
		event := testkit.Event(h.t, h.pool, func(e *db.Event) { e.CancellationClosesMinutes = 10000 })
		_, me := h.user(access.Attendee)
		var booking api.Booking
		me.Post("/api/v1/slots/"+testkit.Slot(h.t, h.pool, event.ID).ID.String()+"/bookings", `{}`).Want(http.StatusCreated).Into(&booking)
		return refusedRequest{me, "/api/v1/bookings/" + booking.ID.String() + "/cancel", `{}`, event.ID,
			"UPDATE events SET cancellation_closes_minutes = 0 WHERE id = $1"}
	},
	"publishEvent": func(h *env) refusedRequest {
		return h.inStatus("cancelled", "/publish", nil, "UPDATE events SET status = 'draft', cancelled_at = NULL, published_at = NULL WHERE id = $1")
	},
	"cancelEvent": func(h *env) refusedRequest {
		return h.inStatus("draft", "/cancel", `{"reason": "Rain"}`, "UPDATE events SET status = 'published' WHERE id = $1")
	},
}

// tooEarly is a request about a slot that cannot be booked yet. The slot's id is put into
// the path and the body.
func (h *env) tooEarly(path, body string) refusedRequest {
	h.t.Helper()
	event := testkit.Event(h.t, h.pool, func(e *db.Event) { e.BookingOpensAt = new(time.Now().Add(time.Hour)) })
	slot := testkit.Slot(h.t, h.pool, event.ID, testkit.Times(48*time.Hour, 49*time.Hour)).ID.String()
	_, me := h.user(access.Attendee)
	return refusedRequest{me, "/api/v1" + strings.ReplaceAll(path, "%s", slot), strings.ReplaceAll(body, "%s", slot), event.ID,
		"UPDATE events SET booking_opens_at = NULL WHERE id = $1"}
}

// inStatus is a request about an event with a status that forbids it.
func (h *env) inStatus(status, path string, body any, mend string) refusedRequest {
	h.t.Helper()
	organizer, me := h.user(access.Organizer)
	event := testkit.Event(h.t, h.pool, func(e *db.Event) { e.OrganizerID, e.Status = organizer.UserID, status })
	testkit.Slot(h.t, h.pool, event.ID)
	return refusedRequest{me, "/api/v1/events/" + event.ID.String() + path, body, event.ID, mend}
}

func TestGetAnswers304UntilTheETagChanges(t *testing.T) {
	t.Parallel()
	h := newEnv(t)
	_, me := h.user(access.Attendee)
	first := me.Get("/api/v1/me").Want(http.StatusOK)
	tag := first.Header.Get("ETag")
	for _, list := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		again := me.Get("/api/v1/me", testkit.Header("If-None-Match", list)).Want(http.StatusNotModified)
		if len(again.Body) != 0 || again.Header.Get("ETag") != tag || again.Header.Get("Content-Type") != "" {
			t.Errorf("If-None-Match: %s: %q %v", list, again.Body, again.Header)
		}
	}
	me.Send(http.MethodHead, "/api/v1/me", nil, testkit.Header("If-None-Match", tag)).Want(http.StatusNotModified)
	var user api.User
	me.Patch("/api/v1/me", `{"name": "Other Name"}`, testkit.Header("Content-Type", "application/merge-patch+json")).Want(http.StatusOK).Into(&user)
	if user.Name != "Other Name" {
		t.Errorf("%+v", user)
	}
	me.Get("/api/v1/me", testkit.Header("If-None-Match", tag)).Want(http.StatusOK)
}
