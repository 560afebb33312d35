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
	"eventbooking/internal/proof/load"
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
	e := &experiment{place: place}
	err = e.run(ctx, o)
	if err != nil {
		return "", errors.Join(err, place.Close())
	}
	figure, err := e.examine(ctx)
	return figure, errors.Join(err, place.Close())
}

// experiment is everybody, and how often they asked.
type experiment struct {
	place         *lab.Place
	fixture       *load.Fixture
	sent, refused atomic.Int64
}

func (e *experiment) run(ctx context.Context, o Options) error {
	people, err := e.place.People(ctx, users)
	if err != nil {
		return err
	}
	if e.fixture, err = load.Publish(ctx, e.place.Organizer, capacity); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for i := range atOnce {
		random := rand.New(rand.NewPCG(o.Seed, uint64(i)))
		customer := e.fixture.Customer(people[i%users], random)
		group.Go(func() {
			for n := e.sent.Add(1); ctx.Err() == nil && n <= int64(o.Commands); n = e.sent.Add(1) {
				e.place.Lab.Progress("commands", int(n), o.Commands)
				err := e.step(ctx, customer)
				if n%edits == 0 && err == nil {
					err = e.editCapacity(ctx, random)
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

func (e *experiment) step(ctx context.Context, customer *load.Customer) error {
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
		e.refused.Add(1)
	}
	return customer.Learn(ctx, command, answer.Answer)
}

// editCapacity gives a slot another capacity. Below what is taken is refused.
func (e *experiment) editCapacity(ctx context.Context, random *rand.Rand) error {
	slot := e.fixture.Slots[random.IntN(len(e.fixture.Slots))]
	path := "/slots/" + slot.ID.String()
	tag := e.fixture.Organizer.Get(ctx, path).Header.Get("ETag")
	answer := e.fixture.Organizer.Do(ctx, http.MethodPatch, path, map[string]int{"capacity": capacity - 2 + random.IntN(5)}, lab.Header{Name: "If-Match", Value: tag})
	if answer.Unknown() && ctx.Err() == nil {
		return lab.Broken(fmt.Errorf("edit of a slot: %d %s %w", answer.Status, answer.Body, answer.Err))
	}
	return nil
}

// examine counts the deadlocks and lets the doctor look.
func (e *experiment) examine(ctx context.Context) (string, error) {
	deadlocks, err := e.place.Cluster.Deadlocks()
	if err != nil {
		return "", err
	}
	findings, err := e.place.Service.Doctor(ctx)
	if err != nil {
		return "", err
	}
	figure := fmt.Sprintf("%d commands of every kind, %d of them refused, %d at once by %d users: %d × 40P01, the doctor finds %d",
		e.sent.Load()-atOnce, e.refused.Load(), atOnce, users, deadlocks, len(findings))
	if deadlocks > 0 || len(findings) > 0 {
		return figure, lab.Broken(fmt.Errorf("%d deadlocks in %s; the doctor finds %q", deadlocks, e.place.Cluster.Log(), findings))
	}
	return figure, nil
}
