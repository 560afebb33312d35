//go:build unix

package keys

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"

	"golang.org/x/sync/errgroup"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

// sender is one person with one command after the other, each of which is sent
// many times at once: mostly as a customer, sometimes as an organizer.
type sender struct {
	trial      *trial
	random     *rand.Rand
	fixture    *load.Fixture
	person     lab.Person
	customer   *load.Customer
	organizing organizing
}

// run sends keys until there are no more of them.
func (s *sender) run(ctx context.Context) error {
	for {
		n := s.trial.taken.Add(1)
		if n > s.trial.total {
			return nil
		}
		s.trial.lab.Progress("keys", int(n), int(s.trial.total))
		group, ctx := errgroup.WithContext(ctx)
		if n%s.trial.killEvery == 0 {
			group.Go(func() error { return s.trial.kill(ctx) })
		}
		group.Go(func() error { return s.one(ctx) })
		if err := group.Wait(); err != nil {
			return err
		}
	}
}

// one is one key.
func (s *sender) one(ctx context.Context) error {
	if s.random.IntN(6) == 0 {
		command := s.organizing.next()
		a, err := s.send(ctx, command)
		if err != nil {
			return err
		}
		return s.organizing.learn(command, a)
	}
	command := s.customer.Next()
	for command.Key == "" {
		command = s.customer.Next()
	}
	a, err := s.send(ctx, command)
	if err != nil {
		return err
	}
	return errors.Join(s.trial.receipts.Add(command, a), s.customer.Learn(ctx, command, a))
}

// send sends a command many times at once, and returns what became of it.
func (s *sender) send(ctx context.Context, command load.Command) (lab.Answer, error) {
	answers := make([]settled, 1+s.random.IntN(mostTimes))
	group, sending := errgroup.WithContext(ctx)
	for i := range answers {
		group.Go(func() (err error) {
			answers[i], err = settle(sending, command)
			s.trial.sent.Add(int64(answers[i].sent))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return lab.Answer{}, err
	}
	a, err := agree(answers)
	if err != nil {
		return a, lab.Broken(fmt.Errorf("%s, %d times: %w", command, len(answers), err))
	}
	if load.Succeeded(a) && s.random.IntN(otherRequest) == 0 {
		return a, s.reuse(ctx, command)
	}
	return a, nil
}

// reuse sends another request with the key: one for more seats than any customer
// asks for.
func (s *sender) reuse(ctx context.Context, command load.Command) error {
	command.Method, command.Path = http.MethodPost, "/slots/"+s.fixture.Slots[0].ID.String()+"/bookings"
	command.Body = map[string]any{"seats": capacity}
	a, err := settle(ctx, command)
	if err != nil {
		return err
	}
	s.trial.others.Add(1)
	if code := a.Problem().Code; a.Status != http.StatusUnprocessableEntity || code != "idempotency_key_reused" {
		return lab.Broken(fmt.Errorf("the key %s came with another request, and the answer was %d %s", command.Key, a.Status, a.Body))
	}
	return nil
}
