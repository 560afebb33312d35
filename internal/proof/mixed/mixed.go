//go:build unix

// Package mixed lets everybody get into everybody's way: few users who each do
// several things at once, slots that overlap, every kind of command, over two
// processes of the service and the jobs of both. The lock order must hold for
// all of it together: nothing may ever wait in a circle.
package mixed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/traffic"
)

// Options are the size of the experiment.
type Options struct {
	Commands int
	Seed     uint64
	Subject  lab.Subject
}

const (
	users    = 24
	atOnce   = 64
	capacity = 6
	// edits is after how many commands a slot's capacity changes.
	edits = 50
)

// Prove sends the commands and counts the deadlocks in the database's log, those
// of jobs and tickers too; then the doctor examines what came of it.
func Prove(ctx context.Context, l *lab.Lab, o Options) (string, error) {
	o.Subject.Processes = 2
	place, err := l.Place(ctx, "mixed", o.Subject)
	if err != nil {
		return "", err
	}
	c := &crowd{place: place}
	err = c.run(ctx, o)
	if err != nil {
		return "", errors.Join(err, place.Close())
	}
	figure, err := c.examine(ctx)
	return figure, errors.Join(err, place.Close())
}

// crowd is everybody, and how often they asked.
type crowd struct {
	place         *lab.Place
	stage         *traffic.Stage
	sent, refused atomic.Int64
}

func (c *crowd) run(ctx context.Context, o Options) error {
	people, err := c.place.People(ctx, users)
	if err != nil {
		return err
	}
	if c.stage, err = traffic.OpenStage(ctx, c.place.Organizer, capacity); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for i := range atOnce {
		dice := rand.New(rand.NewPCG(o.Seed, uint64(i)))
		customer := c.stage.Customer(people[i%users], dice)
		group.Go(func() {
			for n := c.sent.Add(1); ctx.Err() == nil && n <= int64(o.Commands); n = c.sent.Add(1) {
				c.place.Lab.Progress("commands", int(n), o.Commands)
				err := c.step(ctx, customer)
				if n%edits == 0 && err == nil {
					err = c.editCapacity(ctx, dice)
				}
				if err != nil {
					cancel(err)
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

func (c *crowd) step(ctx context.Context, customer *traffic.Customer) error {
	command := customer.Next()
	answer, err := command.Settle(ctx, func() {})
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	case answer.Unknown || answer.Status >= http.StatusInternalServerError:
		return lab.Broken(fmt.Errorf("%s: %d %s", command.Name, answer.Status, answer.Body))
	case answer.Status >= http.StatusBadRequest:
		c.refused.Add(1)
	}
	return customer.Learn(ctx, command, answer.Answer)
}

// editCapacity gives a slot another capacity. Below what is taken is refused.
func (c *crowd) editCapacity(ctx context.Context, dice *rand.Rand) error {
	slot := c.stage.Slots[dice.IntN(len(c.stage.Slots))]
	path := "/slots/" + slot.ID.String()
	tag := c.stage.Organizer.Get(ctx, path).Header.Get("ETag")
	answer := c.stage.Organizer.Do(ctx, http.MethodPatch, path, map[string]int{"capacity": capacity - 2 + dice.IntN(5)}, lab.Header{Name: "If-Match", Value: tag})
	if answer.Unknown() && ctx.Err() == nil {
		return lab.Broken(fmt.Errorf("edit of a slot: %d %s %w", answer.Status, answer.Body, answer.Err))
	}
	return nil
}

// examine counts the deadlocks and lets the doctor look.
func (c *crowd) examine(ctx context.Context) (string, error) {
	deadlocks, err := c.place.Cluster.Deadlocks()
	if err != nil {
		return "", err
	}
	findings, err := c.place.Service.Doctor(ctx)
	if err != nil {
		return "", err
	}
	figure := fmt.Sprintf("%d commands of every kind, %d of them refused, %d at once by %d users: %d × 40P01, the doctor finds %d",
		c.sent.Load()-atOnce, c.refused.Load(), atOnce, users, deadlocks, len(findings))
	if deadlocks > 0 || len(findings) > 0 {
		return figure, lab.Broken(fmt.Errorf("%d deadlocks in %s; the doctor finds %q", deadlocks, c.place.Cluster.Log(), findings))
	}
	return figure, nil
}
