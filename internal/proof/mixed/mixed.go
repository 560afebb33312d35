//go:build unix

// Package mixed sends commands of every kind that get into each other's way: few
// users who each do several things at once, slots that overlap, two processes of
// the service and the jobs of both, and an organizer who edits. All of it together must
// keep the lock order: there is no deadlock.
package mixed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

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
	// edits is after how many commands something is edited: a slot's capacity or, each
	// fifth time, the rules of an event, the statuses and times of all slots, or one
	// slot's times so that attendees are displaced.
	edits = 50
	// quietEvents have quietSlots each that nobody books, so that the spans of more
	// events change at once.
	quietEvents, quietSlots = 4, 5
)

// Prove sends the commands and counts the deadlocks in the database's log, those
// of jobs and tickers too; then the doctor examines what came of it.
func Prove(ctx context.Context, l *lab.Lab, o Options) (figure string, err error) {
	o.Subject.Processes = 2
	deployment, err := l.Deploy(ctx, "mixed", o.Subject)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, deployment.Close()) }()
	e := &experiment{Options: o, deployment: deployment, random: rand.New(rand.NewPCG(o.Seed, atOnce))}
	if e.load, err = load.New(ctx, load.Options{Organizer: deployment.Organizer, DatabaseURL: deployment.Cluster.URL(),
		Workers: atOnce, People: users, Capacity: capacity, Seed: o.Seed}); err != nil {
		return "", err
	}
	if err := e.publishQuiet(ctx); err != nil {
		return "", err
	}
	over := make(chan struct{})
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error { return e.load.Run(working, over) })
	group.Go(func() error {
		defer close(over)
		return e.edit(working)
	})
	if err := group.Wait(); err != nil {
		return "", err
	}
	return e.examine(ctx)
}

type experiment struct {
	Options
	deployment *lab.Deployment
	load       *load.Load
	quiet      []lab.Slot
	random     *rand.Rand
}

// publishQuiet makes the events that nobody books. Their slots are made in turn, so
// that the order of the slots is not that of their events.
func (e *experiment) publishQuiet(ctx context.Context) error {
	organizer := e.deployment.Organizer
	for range quietEvents {
		slots, err := organizer.Publish(ctx, lab.EventOptions{}, lab.Tomorrow(0, 1))
		if err != nil {
			return err
		}
		e.quiet = append(e.quiet, slots...)
	}
	for n := 1; n < quietSlots; n++ {
		for i := range quietEvents {
			var slot lab.Slot
			event := e.quiet[(i+n)%quietEvents].EventID
			if err := organizer.Post(ctx, "/events/"+event.String()+"/slots", lab.Tomorrow(2*n, 1)).Want(http.StatusCreated, &slot); err != nil {
				return fmt.Errorf("create a slot: %w", err)
			}
			e.quiet = append(e.quiet, slot)
		}
	}
	return nil
}

// edit edits now and then, until enough commands were sent.
func (e *experiment) edit(ctx context.Context) error {
	for edited := 0; ctx.Err() == nil; {
		sent := e.load.Tally().Sent
		if e.deployment.Lab.Progress("commands", sent, e.Commands); sent >= e.Commands {
			return nil
		}
		if sent < edits*(edited+1) {
			lab.Pause(ctx, time.Millisecond)
			continue
		}
		edited++
		edit := e.editCapacity
		switch edited % 5 {
		case 0:
			edit = e.editRules
		case 1:
			edit = e.editSpans
		case 3:
			edit = e.editTimes
		}
		if err := edit(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// editCapacity gives a slot another capacity. Below what is taken is refused.
func (e *experiment) editCapacity(ctx context.Context) error {
	slots := e.load.Slots()
	return e.patch(ctx, "/slots/"+slots[e.random.IntN(len(slots))].ID.String(), map[string]any{"capacity": capacity - 2 + e.random.IntN(5)})
}

// editRules lets an event's waitlists be served by other rules.
func (e *experiment) editRules(ctx context.Context) error {
	slots := e.load.Slots()
	return e.patch(ctx, "/events/"+slots[e.random.IntN(len(slots))].EventID.String(), map[string]any{
		"cancellation_closes_minutes": []int{0, 0, 60, 525_600}[e.random.IntN(4)], "walk_ins": e.random.IntN(2) == 0,
		"fit": []string{"strict", "first_fit"}[e.random.IntN(2)], "max_passes": e.random.IntN(4),
		"waitlist_mode": []string{"automatic", "offer"}[e.random.IntN(2)]})
}

// editSpans closes every slot and opens it again, all at once and in any order, and
// changes the times of some instead, so that batches of both processes change the spans
// of the same events. A slot never ends later than at first, so that bookings that are
// apart stay so.
func (e *experiment) editSpans(ctx context.Context) error {
	for _, status := range []string{"closed", "open"} {
		slots := slices.Concat(e.load.Slots(), e.quiet)
		e.random.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
		group, ctx := errgroup.WithContext(ctx)
		for _, slot := range slots {
			change := map[string]any{"status": status}
			if status == "closed" && e.random.IntN(8) == 0 {
				change = map[string]any{"ends_at": slot.StartsAt.Add(time.Duration(60+e.random.IntN(60)) * time.Minute)}
			}
			group.Go(func() error { return e.patch(ctx, "/slots/"+slot.ID.String(), change) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// editTimes gives a slot another end, and cancels who is busy then.
func (e *experiment) editTimes(ctx context.Context) error {
	slots := e.load.Slots()
	slot := slots[e.random.IntN(len(slots))]
	return e.patch(ctx, "/slots/"+slot.ID.String(), map[string]any{
		"ends_at": slot.StartsAt.Add(time.Duration(60+e.random.IntN(120)) * time.Minute), "on_conflict": "cancel"})
}

// patch edits what is at a path as it is now. A refusal is no matter.
func (e *experiment) patch(ctx context.Context, path string, body any) error {
	organizer := e.deployment.Organizer
	tag := lab.Header{Name: "If-Match", Value: organizer.Get(ctx, path).Header.Get("ETag")}
	answer := organizer.Do(ctx, http.MethodPatch, path, body, tag)
	if answer.Unknown() && ctx.Err() == nil {
		return lab.Broken(fmt.Errorf("edit of %s: %d %s %w", path, answer.Status, answer.Body, answer.Err))
	}
	return nil
}

// examine counts the deadlocks and lets the doctor look.
func (e *experiment) examine(ctx context.Context) (string, error) {
	deadlocks, err := e.deployment.Cluster.Deadlocks()
	if err != nil {
		return "", err
	}
	findings, err := e.deployment.Service.Doctor(ctx)
	if err != nil {
		return "", err
	}
	told := e.load.Tally()
	figure := fmt.Sprintf("%d commands of every kind, %d of them refused, %d at once by %d users: %d × 40P01, the doctor finds %d",
		told.Sent, told.Refused, atOnce, users, deadlocks, len(findings))
	if deadlocks > 0 || len(findings) > 0 || told.Unknown > 0 {
		return figure, lab.Broken(fmt.Errorf("%d deadlocks in %s; %d unknown outcomes; the doctor finds %q",
			deadlocks, e.deployment.Cluster.Log(), told.Unknown, findings))
	}
	return figure, nil
}
