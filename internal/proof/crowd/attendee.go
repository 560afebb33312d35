//go:build unix

package crowd

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"eventbooking/internal/proof/lab"
)

// Attendee books and cancels in one slot by turns, and keeps what it was told.
type Attendee struct {
	crowd  *Crowd
	client *lab.Client
	id     uuid.UUID
	slot   uuid.UUID

	asked   int // numbers the keys
	open    *request
	booking uuid.UUID // the live one, or none
	told    Record
}

// request is what an attendee asks for until it is told what became of it.
type request struct {
	key, path string
	body      any
	want      int
	// unknown: an earlier try may have had its effect.
	unknown bool
}

func (r *request) String() string { return fmt.Sprintf("POST %s under the key %s", r.path, r.key) }

// act asks for the next thing, or again for the last, if nobody knew what became
// of it. What was refused is dropped: it promises to have had no effect, and the
// record shows it if it had. An error is a broken promise.
func (a *Attendee) act(ctx context.Context) (refused bool, err error) {
	if a.open == nil {
		a.open = a.request()
	}
	r := a.open
	answer := a.client.Post(ctx, r.path, r.body, lab.Key(r.key))
	switch {
	case answer.Err != nil:
		return false, fmt.Errorf("%s: no answer: %w", r, answer.Err)
	case answer.Problem().Code == "outcome_unknown":
		first := !r.unknown
		r.unknown = true
		a.crowd.note(answer, func(t *Tally) { t.Unknown += count(first) })
		return true, nil
	case answer.Untouched():
		if !r.unknown {
			a.open = nil
		}
		a.crowd.note(answer, func(t *Tally) { t.Refused++ })
		return true, nil
	case answer.Status != r.want:
		return false, fmt.Errorf("%s: %d %s", r, answer.Status, answer.Body)
	}
	return false, a.take(answer)
}

// request is the next: a booking, or the cancellation of the one there is.
func (a *Attendee) request() *request {
	a.asked++
	key := fmt.Sprintf("%s-%d", a.id, a.asked)
	if a.booking == uuid.Nil {
		return &request{key: key, path: "/slots/" + a.slot.String() + "/bookings", want: http.StatusCreated,
			body: map[string]any{"seats": 1, "if_full": "waitlist"}}
	}
	return &request{key: key, path: "/bookings/" + a.booking.String() + "/cancel", want: http.StatusOK}
}

// take keeps an acknowledgement.
func (a *Attendee) take(answer lab.Answer) error {
	booking, err := answer.Booking()
	if err != nil {
		return err
	}
	r := a.open
	live := r.want == http.StatusCreated
	if a.open, a.booking = nil, uuid.Nil; live {
		a.booking = booking.ID
	}
	a.told.Bookings[booking.ID] = live
	a.told.Keys[r.key] = true
	happened := r.unknown && answer.Header.Get("Idempotent-Replayed") == "true"
	a.crowd.note(answer, func(t *Tally) {
		t.Acknowledged++
		t.Happened += count(happened)
	})
	return nil
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}
