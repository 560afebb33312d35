//go:build unix

package keys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

// settled is the definite answer to a command.
type settled struct {
	lab.Answer
	// sent is how often it was sent until then. unknown: nobody could say what
	// became of it one of these times.
	sent    int
	unknown bool
}

// settleLimit bounds how long a command is repeated: longer than any restart.
const settleLimit = 90 * time.Second

// settle sends a command again and again until the answer is definite.
func settle(ctx context.Context, c load.Command) (s settled, err error) {
	err = lab.Await(ctx, settleLimit, func(ctx context.Context) error {
		s.sent++
		s.Answer = c.Send(ctx)
		s.unknown = s.unknown || s.Unknown()
		switch {
		case s.Err != nil:
			return s.Err
		case s.Status == http.StatusInternalServerError:
			return nil // The service promises never to answer this.
		case s.Unknown() || s.Untouched():
			return errors.New(string(s.Body))
		}
		return nil
	})
	switch {
	case err != nil:
		return s, fmt.Errorf("%s has no definite answer: %w", c, err)
	case s.Status == http.StatusInternalServerError:
		return s, lab.Broken(fmt.Errorf("%s: %s", c, s.Body))
	}
	return s, nil
}
