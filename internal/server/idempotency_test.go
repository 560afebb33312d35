//go:build unix

package server_test

import (
	"bytes"
	"net/http"
	"sync"
	"testing"

	"eventbooking/gen/api"
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
	me.Post(path, `{"seats": 3}`, key).WantProblem(fault.IdempotencyKeyReused)

	again := testkit.Header("Idempotency-Key", "again")
	first, second := me.Post(path, `{}`, again), me.Post(path, `{}`, again)
	first.WantProblem(fault.AlreadyBooked)
	second.WantProblem(fault.AlreadyBooked)
	if !bytes.Equal(first.Body, second.Body) || second.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("the refusal was not replayed: %s and %s", first.Body, second.Body)
	}
	// Keys of different users are independent.
	_, other := h.user(access.Attendee)
	if a := other.Post(path, `{"seats": 2}`, key).Want(http.StatusCreated); a.Header.Get("Idempotent-Replayed") != "" {
		t.Error("one user got another's answer")
	}
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
