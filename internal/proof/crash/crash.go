//go:build unix

// Package crash shows that what was acknowledged is durable, and what was not is
// whole or absent: the service and its database are killed at random moments,
// over and over, while many people use them. Nobody repairs anything in between.
package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

// Options say how much is killed, and under what load.
type Options struct {
	ServiceKills, DatabaseKills int
	// Workers are how many people send commands at the same time.
	Workers int
	Seed    uint64
	Subject lab.Subject
}

const (
	// killsABout is after how many kills people stop for a moment and everything is
	// examined.
	killsABout = 20
	// warmth is how many acknowledgements there must be for each worker before the
	// next kill, and pauseLimit the most that passes from then on.
	warmth     = 6
	pauseLimit = time.Second
	warmLimit  = time.Minute
	// healLimit bounds how long the service takes after its database is back.
	healLimit = 30 * time.Second
)

// Prove kills, and examines what is left.
func Prove(ctx context.Context, l *lab.Lab, o Options) (figure string, err error) {
	place, err := l.Place(ctx, "crash", o.Subject)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	t := &trial{lab: l, place: place, options: o, random: rand.New(rand.NewPCG(o.Seed, 0))}
	all := t.plan()
	for bout := range slices.Chunk(all, killsABout) {
		if err := t.bout(ctx, bout, len(all)); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d kills of the service, %d of PostgreSQL under load, %d acknowledged effects, %d unknown outcomes resolved (%d had happened): 0 lost, 0 half applied",
		o.ServiceKills, o.DatabaseKills, t.receipts.Len(), t.unknown.Load(), t.happened.Load()), nil
}

// trial is one run of the experiment.
type trial struct {
	lab     *lab.Lab
	place   *lab.Place
	options Options
	random  *rand.Rand
	kills   int

	// down is locked while something is down on purpose: commands that are on their
	// way meet it, those to come wait.
	down     sync.RWMutex
	receipts load.Receipts
	// unknown counts the outcomes that nobody knew, happened those among them that
	// turned out to have happened.
	unknown, happened atomic.Int64
}

// kill is a way to die, and to come back.
type kill func(*trial, context.Context) error

// plan is what is killed, in any order.
func (t *trial) plan() []kill {
	all := slices.Repeat([]kill{(*trial).killService}, t.options.ServiceKills)
	for i := range t.options.DatabaseKills {
		if i%4 == 0 {
			all = append(all, (*trial).killPostmaster)
		} else {
			all = append(all, (*trial).crashDatabase)
		}
	}
	t.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func (t *trial) killService(ctx context.Context) error {
	return errors.Join(t.place.Service.Kill(), t.place.Service.Start(ctx))
}

func (t *trial) crashDatabase(ctx context.Context) error {
	return errors.Join(t.place.Cluster.Crash(), t.reviveDatabase(ctx))
}

func (t *trial) killPostmaster(ctx context.Context) error {
	return errors.Join(t.place.Cluster.Kill(), t.reviveDatabase(ctx))
}

// reviveDatabase leaves the service alone: it must find back by itself.
func (t *trial) reviveDatabase(ctx context.Context) error {
	return errors.Join(t.place.Cluster.Start(ctx), t.place.Service.AwaitReady(ctx, healLimit))
}

// bout lets customers act, kills meanwhile, and examines everything when the last
// of them has a definite answer.
func (t *trial) bout(ctx context.Context, kills []kill, total int) error {
	customers, err := t.customers(ctx)
	if err != nil {
		return err
	}
	over := make(chan struct{})
	group, working := errgroup.WithContext(ctx)
	for _, c := range customers {
		group.Go(func() error { return t.serve(working, c, over) })
	}
	group.Go(func() error {
		defer close(over)
		for _, k := range kills {
			t.lab.Progress("kills under load", t.kills, total)
			if err := t.killOnce(working, k); err != nil {
				return fmt.Errorf("kill %d: %w", t.kills, err)
			}
			t.kills++
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if err := load.Examine(ctx, t.place, &t.receipts); err != nil {
		return fmt.Errorf("after %d kills: %w", t.kills, err)
	}
	return nil
}

func (t *trial) customers(ctx context.Context) ([]*load.Customer, error) {
	fixture, err := load.Publish(ctx, t.place.Organizer, load.Scarce(t.options.Workers))
	if err != nil {
		return nil, err
	}
	people, err := t.place.People(ctx, t.options.Workers)
	if err != nil {
		return nil, err
	}
	customers := make([]*load.Customer, len(people))
	for i, p := range people {
		customers[i] = fixture.Customer(p, rand.New(rand.NewPCG(t.random.Uint64(), uint64(i))))
	}
	return customers, nil
}

// serve lets a customer send commands until it is over.
func (t *trial) serve(ctx context.Context, c *load.Customer, over <-chan struct{}) error {
	for {
		select {
		case <-over:
			return nil
		default:
		}
		command := c.Next()
		s, err := t.settle(ctx, command)
		if err != nil {
			return err
		}
		if err := errors.Join(t.receipts.Add(command, s.Answer), c.Learn(ctx, command, s.Answer)); err != nil {
			return err
		}
	}
}

// settle finds out what became of a command. Where nobody knew for a while, the
// answer that came in the end must come ever after.
func (t *trial) settle(ctx context.Context, command load.Command) (load.Settled, error) {
	s, err := command.Settle(ctx, t.up)
	switch {
	case err != nil:
		return s, err
	case !s.Unknown && s.Replayed():
		return s, lab.Broken(fmt.Errorf("%s had its effect, and was answered that it had none", command))
	case !s.Unknown:
		return s, nil
	}
	t.unknown.Add(1)
	if s.Replayed() {
		t.happened.Add(1)
	}
	if command.Key == "" || !s.Stored() {
		return s, nil
	}
	again, err := command.Settle(ctx, t.up)
	if err == nil && (!again.Replayed() || again.Status != s.Status || string(again.Body) != string(s.Body)) {
		err = lab.Broken(fmt.Errorf("%s was answered %d %s, and then %d %s", command, s.Status, s.Body, again.Status, again.Body))
	}
	return s, err
}

// up returns when nothing is down on purpose.
func (t *trial) up() {
	t.down.RLock()
	defer t.down.RUnlock()
}

// killOnce kills at a random moment, once there is load again.
func (t *trial) killOnce(ctx context.Context, k kill) error {
	began, enough := t.receipts.Len(), warmth*t.options.Workers
	if err := lab.Await(ctx, warmLimit, func(context.Context) error {
		if n := t.receipts.Len() - began; n < enough {
			return fmt.Errorf("%d of %d acknowledgements since the last kill", n, enough)
		}
		return nil
	}); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(t.random.Int64N(int64(pauseLimit)))):
	}
	t.down.Lock()
	defer t.down.Unlock()
	return k(t, ctx)
}
