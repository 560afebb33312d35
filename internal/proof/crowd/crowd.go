//go:build unix

// Package crowd is the load of the experiments that break what the service
// stands on: attendees who book and cancel by turns, every request under an
// idempotency key of its own, and who keep what they were told. Held against
// what the database has in the end, it shows what was lost, and what happened
// although it was refused or happened already.
package crowd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
)

// Crowd is attendees in some slots, with seats for half of them: the others wait,
// and every cancellation promotes somebody.
type Crowd struct {
	attendees []*Attendee

	mu    sync.Mutex
	tally Tally
	next  []chan time.Duration
}

// Tally counts what the crowd was told.
type Tally struct {
	// Acknowledged are bookings and cancellations, Refused what promises to have
	// had no effect.
	Acknowledged, Refused int
	// Unknown are the requests that the service was not sure of, Happened those of
	// them that turned out to have had their effect.
	Unknown, Happened int
	// Slowest is the longest that anybody waited for an answer.
	Slowest time.Duration
}

// Gather makes a crowd, and an event of the organizer's with slots for it.
func Gather(ctx context.Context, organizer *lab.Client, databaseURL string, attendees, slots int) (*Crowd, error) {
	people, err := lab.People(ctx, databaseURL, attendees, access.Attendee)
	if err != nil {
		return nil, err
	}
	options := make([]lab.SlotOptions, slots)
	for i := range options {
		options[i] = lab.Tomorrow(2*i, max(1, attendees/slots/2))
	}
	open, err := organizer.Publish(ctx, lab.EventOptions{WaitlistMode: "automatic"}, options...)
	if err != nil {
		return nil, err
	}
	c := &Crowd{}
	for i, person := range people {
		c.attendees = append(c.attendees, &Attendee{
			crowd: c, client: organizer.As(person), id: person.ID, slot: open[i%slots].ID, told: newRecord(),
		})
	}
	return c, nil
}

// Detach makes the last few of a crowd one of its own, in the same slots.
func (c *Crowd) Detach(n int) *Crowd {
	at := len(c.attendees) - n
	few := &Crowd{attendees: c.attendees[at:]}
	c.attendees = c.attendees[:at]
	for _, a := range few.attendees {
		a.crowd = few
	}
	return few
}

// Each lets everybody act once, at the same time.
func (c *Crowd) Each(ctx context.Context) error {
	return c.all(ctx, func(a *Attendee) error {
		_, err := a.act(ctx)
		return err
	})
}

// refusedPause is how long who was refused lets the service breathe.
const refusedPause = 20 * time.Millisecond

// Rush lets everybody act until the end of it.
func (c *Crowd) Rush(ctx context.Context, end <-chan struct{}) error {
	return c.all(ctx, func(a *Attendee) error {
		for {
			refused, err := a.act(ctx)
			if err != nil {
				return err
			}
			pause := time.Duration(0)
			if refused {
				pause = refusedPause
			}
			select {
			case <-end:
				return nil
			case <-time.After(pause):
			}
		}
	})
}

// Settle lets those who are in doubt ask again until nobody is.
func (c *Crowd) Settle(ctx context.Context, within time.Duration) error {
	return c.until(ctx, within, func(a *Attendee) bool { return a.open == nil })
}

// Served lets everybody ask until each has had an acknowledgement.
func (c *Crowd) Served(ctx context.Context, within time.Duration) error {
	before := make(map[*Attendee]int, len(c.attendees))
	for _, a := range c.attendees {
		before[a] = len(a.told.Keys)
	}
	return c.until(ctx, within, func(a *Attendee) bool { return len(a.told.Keys) > before[a] })
}

func (c *Crowd) until(ctx context.Context, within time.Duration, done func(*Attendee) bool) error {
	return c.all(ctx, func(a *Attendee) error {
		var broken error
		err := lab.Await(ctx, within, func(ctx context.Context) error {
			if !done(a) && broken == nil {
				_, broken = a.act(ctx)
			}
			if !done(a) && broken == nil {
				return fmt.Errorf("%s has no answer to %v", a.id, a.open)
			}
			return nil
		})
		return errors.Join(broken, err)
	})
}

// all lets everybody do something at the same time. Whatever goes wrong is a
// broken promise, unless it is the experiment that ends.
func (c *Crowd) all(ctx context.Context, do func(*Attendee) error) error {
	var group sync.WaitGroup
	errs := make([]error, len(c.attendees))
	for i, a := range c.attendees {
		group.Go(func() { errs[i] = do(a) })
	}
	group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return lab.Broken(errors.Join(errs...))
}

// Tally is the count so far.
func (c *Crowd) Tally() Tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tally
}

// Next tells when, on the lab's clock, the next acknowledgement comes.
func (c *Crowd) Next() <-chan time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	told := make(chan time.Duration, 1)
	c.next = append(c.next, told)
	return told
}

func (c *Crowd) note(answer lab.Answer, count func(*Tally)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.tally.Acknowledged
	count(&c.tally)
	c.tally.Slowest = max(c.tally.Slowest, answer.Returned-answer.Called)
	if c.tally.Acknowledged > before {
		for _, told := range c.next {
			told <- answer.Returned
		}
		c.next = nil
	}
}
