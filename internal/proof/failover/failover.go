//go:build unix

// Package failover kills the primary. The service knows two servers by its
// DATABASE_URL, one of them a synchronous replica of the other, and finds by
// itself which one accepts writes: when the primary is killed under load and the
// replica promoted, nothing that was acknowledged is lost, and bookings go on
// without a restart. And when the replica is missing, no COMMIT hangs, and
// none is acknowledged that only one server has.
package failover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

// Options say how much is tried. The zero Options are the short form.
type Options struct {
	// Failovers is how often the primary is killed under load; 0 is 2.
	Failovers int
	// Workers is how many customers act at once; 0 is 32.
	Workers int
	Seed    uint64
}

const (
	// bound is how long anything else may take: a promotion to be noticed, a replica
	// to catch up, every outcome to be known.
	bound = 60 * time.Second
)

// Prove kills primaries, then stops the replica.
func Prove(ctx context.Context, l *lab.Lab, o Options) (figure string, err error) {
	o.Failovers, o.Workers = cmp.Or(o.Failovers, 2), cmp.Or(o.Workers, 32)
	e := &experiment{Options: o, lab: l, random: rand.New(rand.NewPCG(o.Seed, 0))}
	err = errors.Join(e.run(ctx), e.close())
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", fmt.Errorf("%w (see %s)", err, l.Dir())
	}
	t := e.load.Tally()
	return fmt.Sprintf("%d failovers under load: %d acknowledged effects, 0 lost; %d outcomes unknown and resolved (%d had happened); "+
		"first one at most %s after the promotion was asked for, which itself took %s; without its standby: %d outcomes unknown, none hung, slowest answer %s",
		o.Failovers, t.Acknowledged, t.Unknown, t.Happened, e.first.Round(10*time.Millisecond), e.promotion.Round(10*time.Millisecond), e.unreplicated, t.Slowest.Round(100*time.Millisecond)), nil
}

// experiment is a service on two servers.
type experiment struct {
	Options
	lab              *lab.Lab
	random           *rand.Rand
	primary, standby *lab.Cluster
	service          *lab.Service
	client           *lab.Client
	load             *load.Load

	// first is the longest wait for an acknowledgement from when a promotion was
	// asked for, promotion is PostgreSQL's part of it.
	first, promotion time.Duration
	// unreplicated counts what was unknown because the standby was missing.
	unreplicated int
}

func (e *experiment) run(ctx context.Context) error {
	if err := e.open(ctx); err != nil {
		return err
	}
	for i := range e.Failovers {
		e.lab.Progress("failovers", i, e.Failovers)
		if i > 0 {
			if err := e.rejoin(ctx); err != nil {
				return fmt.Errorf("rejoin before failover %d: %w", i+1, err)
			}
		}
		if err := e.failover(ctx); err != nil {
			return fmt.Errorf("failover %d: %w", i+1, err)
		}
	}
	if err := e.rejoin(ctx); err != nil {
		return err
	}
	if err := e.standbyReturns(ctx); err != nil {
		return fmt.Errorf("the standby was gone and came back: %w", err)
	}
	if err := e.standbyReplaces(ctx); err != nil {
		return fmt.Errorf("the standby was gone and had to replace the primary: %w", err)
	}
	return nil
}

// open brings two servers up, and a service that asks the replica first: it must
// go on to the other to bring its schema up.
func (e *experiment) open(ctx context.Context) (err error) {
	// A standby looks for its primary often, or the experiment would wait for it.
	settings := map[string]string{"max_wal_size": "256MB", "shared_buffers": "64MB", "wal_retrieve_retry_interval": "100ms"}
	if e.primary, err = e.lab.Cluster(ctx, "failover_a", settings); err != nil {
		return err
	}
	if e.standby, err = e.primary.Standby(ctx, "failover_b", nil); err != nil {
		return err
	}
	if err := e.synchronise(ctx); err != nil {
		return err
	}
	binary, err := e.lab.Binary()
	if err != nil {
		return err
	}
	both := e.primary.URL(e.standby.Addr()+","+e.primary.Addr()) + "&target_session_attrs=read-write"
	if e.service, err = e.lab.Service(ctx, "failover", binary, both, nil); err != nil {
		return err
	}
	organizers, err := lab.People(ctx, e.primary.URL(), 1, access.Organizer)
	if err != nil {
		return err
	}
	e.client = e.service.Client()
	e.load, err = load.New(ctx, load.Options{
		Organizer: e.client.As(organizers[0]), DatabaseURL: e.primary.URL(), Workers: e.Workers, Seed: e.Seed})
	return err
}

func (e *experiment) close() (err error) {
	if e.client != nil {
		e.client.Close()
	}
	if e.service != nil {
		err = errors.Join(err, e.service.Stop())
	}
	for _, c := range []*lab.Cluster{e.standby, e.primary} {
		if c != nil {
			err = errors.Join(err, c.Remove())
		}
	}
	return err
}

// failover kills the primary under load, and goes on with the other.
func (e *experiment) failover(ctx context.Context) error {
	end, ran := make(chan struct{}), make(chan error, 1)
	go func() { ran <- e.load.Run(ctx, end) }()
	err := e.replace(ctx)
	close(end)
	if err := errors.Join(err, <-ran); err != nil {
		return err
	}
	return e.examine(ctx)
}

// replace kills the primary and promotes the standby, under load.
func (e *experiment) replace(ctx context.Context) error {
	if err := e.busy(ctx); err != nil {
		return err
	}
	kill := e.primary.Kill
	if e.random.IntN(2) == 0 {
		kill = e.primary.Crash
	}
	if err := kill(); err != nil {
		return err
	}
	if err := e.promote(ctx); err != nil {
		return err
	}
	return e.busy(ctx)
}

// busy waits until everybody has been served twice, on average, and then for a
// random time.
func (e *experiment) busy(ctx context.Context) error {
	enough := e.load.Tally().Acknowledged + 2*e.Workers
	if err := lab.Await(ctx, bound, func(context.Context) error {
		if n := e.load.Tally().Acknowledged; n < enough {
			return fmt.Errorf("%d of %d acknowledged", n, enough)
		}
		return nil
	}); err != nil {
		return err
	}
	lab.Pause(ctx, time.Duration(e.random.IntN(500_000))*time.Microsecond)
	return nil
}

// promote makes the standby the primary, and measures how long customers wait
// for the first acknowledgement from when it was asked to be.
func (e *experiment) promote(ctx context.Context) error {
	lab.Pause(ctx, time.Duration(e.random.IntN(500_000))*time.Microsecond)
	before, asked := e.load.Tally().Acknowledged, lab.Now()
	if err := e.standby.Promote(ctx); err != nil {
		return err
	}
	took := lab.Now() - asked
	e.primary, e.standby = e.standby, e.primary
	if err := lab.Await(ctx, bound, func(context.Context) error {
		if e.load.Tally().Acknowledged == before {
			return errors.New("nothing was acknowledged after the promotion")
		}
		return nil
	}); err != nil {
		return lab.Broken(err)
	}
	if waited := lab.Now() - asked; waited > e.first {
		e.first, e.promotion = waited, took
	}
	return nil
}

// rejoin makes the server that was lost the replica of the one that took over.
func (e *experiment) rejoin(ctx context.Context) error {
	if err := e.standby.Follow(ctx, e.primary); err != nil {
		return err
	}
	return e.synchronise(ctx)
}

// examine resolves unknown outcomes, compares what everybody was told with what
// the primary has, and runs the doctor.
func (e *experiment) examine(ctx context.Context) error {
	if err := e.load.Settle(ctx, bound); err != nil {
		return err
	}
	if err := e.load.Check(ctx, e.primary.URL(), e.lab.Dir()); err != nil {
		return err
	}
	found, err := e.service.Doctor(ctx)
	if err == nil && len(found) > 0 {
		err = lab.Broken(fmt.Errorf("doctor: %q", found))
	}
	return err
}
