//go:build unix

// Package crash shows that what was acknowledged is durable, and what was not is
// whole or absent: the service and its database are killed at random moments,
// over and over, under load. Nothing is repaired in between.
package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

// Options say how much is killed, and under what load.
type Options struct {
	ServiceKills, DatabaseKills int
	// Workers are how many customers send commands at the same time.
	Workers int
	Seed    uint64
	Subject lab.Subject
}

const (
	// killsASeries is after how many kills customers stop for a moment and everything is
	// examined.
	killsASeries = 20
	// warmth is how many acknowledgements there must be for each worker before the
	// next kill, and pauseLimit the most that passes from then on.
	warmth     = 6
	pauseLimit = time.Second
	warmLimit  = time.Minute
	// healLimit bounds how long the service takes after its database is back,
	// settleLimit how long commands are repeated: longer than any restart.
	healLimit   = 30 * time.Second
	settleLimit = 90 * time.Second
)

// Prove kills, and examines what is left.
func Prove(ctx context.Context, l *lab.Lab, o Options) (figure string, err error) {
	deployment, err := l.Deploy(ctx, "crash", o.Subject)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, deployment.Close()) }()
	t := &trial{lab: l, deployment: deployment, options: o, random: rand.New(rand.NewPCG(o.Seed, 0))}
	if t.load, err = load.New(ctx, load.Options{
		Organizer: deployment.Organizer, DatabaseURL: deployment.Cluster.URL(), Workers: o.Workers, Seed: o.Seed, Kills: true}); err != nil {
		return "", err
	}
	all := t.plan()
	for kills := range slices.Chunk(all, killsASeries) {
		if err := t.series(ctx, kills, len(all)); err != nil {
			return "", err
		}
	}
	told := t.load.Tally()
	return fmt.Sprintf("%d kills of the service, %d of PostgreSQL under load, %d acknowledged effects, %d unknown outcomes resolved (%d had happened): 0 lost, 0 half applied",
		o.ServiceKills, o.DatabaseKills, told.Acknowledged, told.Unknown, told.Happened), nil
}

// trial is one run of the experiment.
type trial struct {
	lab        *lab.Lab
	deployment *lab.Deployment
	options    Options
	random     *rand.Rand
	load       *load.Load
	kills      int
}

// kill is a way to kill something and to start it again.
type kill func(*trial, context.Context) error

// plan is what is killed, in random order.
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
	return errors.Join(t.deployment.Service.Kill(), t.deployment.Service.Start(ctx))
}

func (t *trial) crashDatabase(ctx context.Context) error {
	return errors.Join(t.deployment.Cluster.Crash(), t.reviveDatabase(ctx))
}

func (t *trial) killPostmaster(ctx context.Context) error {
	return errors.Join(t.deployment.Cluster.Kill(), t.reviveDatabase(ctx))
}

// reviveDatabase starts the database only: the service must reconnect by itself.
func (t *trial) reviveDatabase(ctx context.Context) error {
	return errors.Join(t.deployment.Cluster.Start(ctx), t.deployment.Service.AwaitReady(ctx, healLimit))
}

// series lets customers act, kills meanwhile, and examines everything when the last
// of them has a definite answer.
func (t *trial) series(ctx context.Context, kills []kill, total int) error {
	over := make(chan struct{})
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error { return t.load.Run(working, over) })
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
	if err := t.load.Settle(ctx, settleLimit); err != nil {
		return err
	}
	found, err := t.deployment.Service.Doctor(ctx)
	if err == nil {
		err = t.load.Check(ctx, t.deployment.Cluster.URL(), t.lab.Dir(), found...)
	}
	if err != nil {
		return fmt.Errorf("after %d kills: %w", t.kills, err)
	}
	return nil
}

// killOnce kills at a random moment, once there is load again.
func (t *trial) killOnce(ctx context.Context, k kill) error {
	began, enough := t.load.Tally().Acknowledged, warmth*t.options.Workers
	if err := lab.Await(ctx, warmLimit, func(context.Context) error {
		if n := t.load.Tally().Acknowledged - began; n < enough {
			return fmt.Errorf("%d of %d acknowledgements since the last kill", n, enough)
		}
		return nil
	}); err != nil {
		return err
	}
	lab.Pause(ctx, time.Duration(t.random.Int64N(int64(pauseLimit))))
	return errors.Join(ctx.Err(), k(t, ctx))
}
