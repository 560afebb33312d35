//go:build unix

package traffic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"eventbooking/internal/proof/lab"
)

// Settled is the definite answer to a command.
type Settled struct {
	lab.Answer
	// Sent is how often it was sent until then. Unknown: nobody could say what
	// became of it one of these times.
	Sent    int
	Unknown bool
}

// Replayed says that the command had its effect an earlier time.
func (s Settled) Replayed() bool { return s.Header.Get("Idempotent-Replayed") == "true" }

// Stored says that every repetition gets the same answer: it is about an effect,
// or about the state of things that refused it.
func (s Settled) Stored() bool {
	return s.Status < http.StatusMultipleChoices || s.Status == http.StatusConflict
}

// settleLimit bounds how long a command is repeated: longer than any restart.
const settleLimit = 90 * time.Second

// Settle sends a command again and again until the answer is definite. ready is
// called before each time, and returns when there is somebody to send it to.
func (c Command) Settle(ctx context.Context, ready func()) (Settled, error) {
	var s Settled
	err := lab.Await(ctx, settleLimit, func(ctx context.Context) error {
		ready()
		s.Sent++
		s.Answer = c.Send(ctx)
		s.Unknown = s.Unknown || s.Answer.Unknown()
		switch {
		case s.Err != nil:
			return s.Err
		case s.Status == http.StatusInternalServerError:
			return nil // The service promises never to be at a loss.
		case s.Answer.Unknown() || s.Untouched():
			return errors.New(string(s.Body))
		}
		return nil
	})
	switch {
	case err != nil:
		return s, fmt.Errorf("%s: %s %s with key %q has no definite answer: %w", c.Name, c.Method, c.Path, c.Key, err)
	case s.Status == http.StatusInternalServerError:
		return s, lab.Broken(fmt.Errorf("%s: %s %s with key %q: %s", c.Name, c.Method, c.Path, c.Key, s.Body))
	}
	return s, nil
}
