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

// A repeated POST has one effect and one answer, byte for byte: also one that was
// refused, and also when both are on their way at once.
func TestRepeatedRequest(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	event := testkit.Event(t, h.pool)
	slot := testkit.Slot(t, h.pool, event.ID)
	path := "/api/v1/slots/" + slot.ID.String() + "/bookings"
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
	// The same request, written otherwise: members that have their defaults do not matter.
	same := me.Post(path, ` {"if_full": "reject", "seats": 2} `, key).Want(http.StatusCreated)
	if same.Header.Get("Idempotent-Replayed") != "true" {
		t.Error("not recognised")
	}
	me.Post(path, `{"seats": 3}`, key).WantProblem(fault.IdempotencyKeyReused)

	again := testkit.Header("Idempotency-Key", "again")
	first, second := me.Post(path, `{}`, again), me.Post(path, `{}`, again)
	first.WantProblem(fault.AlreadyBooked)
	second.WantProblem(fault.AlreadyBooked)
	if !bytes.Equal(first.Body, second.Body) || second.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("the refusal was not replayed: %s and %s", first.Body, second.Body)
	}
	// Another user's key is another key.
	_, other := h.user(access.Attendee)
	if a := other.Post(path, `{"seats": 2}`, key).Want(http.StatusCreated); a.Header.Get("Idempotent-Replayed") != "" {
		t.Error("one user got another's answer")
	}
}

// 304 for who has it already, on GET and HEAD, until it changes.
func TestNotModified(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
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
