//go:build unix

// Package network puts a faulty network between the service and its database. The
// faults come at the worst moments, too: while COMMIT and its answer are on their
// way. What was acknowledged must be stored, and what was refused must not. An
// unknown outcome is resolved by repeating the command under the same key. Every
// answer comes in bounded time. When the network works again, the service must
// soon be healthy, and must leave no goroutine behind.
package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

// Options say how much is tried. The zero Options are the short form.
type Options struct {
	// Times is how often each toxic comes at each moment; 0 is 3.
	Times int
	// Healthy is how soon the service must be healthy again; 0 is two seconds, which
	// is promised.
	Healthy time.Duration
	Seed    uint64
}

const (
	customers = 16
	probes    = 2
	// settleBound is how long it may take until every outcome is known.
	settleBound = 30 * time.Second
	// heldEvery: in one of so many rounds the fault lasts until everybody has been
	// answered.
	heldEvery = 10
)

// Prove runs the rounds.
func Prove(ctx context.Context, l *lab.Lab, o Options) (figure string, err error) {
	o.Times, o.Healthy = cmp.Or(o.Times, 3), cmp.Or(o.Healthy, 2*time.Second)
	e := &experiment{Options: o, lab: l, random: rand.New(rand.NewPCG(o.Seed, 0))}
	err = errors.Join(e.run(ctx), e.close(context.WithoutCancel(ctx)))
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", fmt.Errorf("%w (see %s)", err, l.Dir())
	case e.unsure == 0:
		return "", errors.New("no COMMIT was hit")
	}
	t := e.load.Tally()
	return fmt.Sprintf("%d toxics × %d in mid-COMMIT (%d with unknown outcomes), × %d at other moments, %d silent networks: %d answers acknowledged, %d refused, "+
		"%d outcomes unknown and resolved (%d had happened), 0 violations, slowest answer %s, healthy again after at most %s, no goroutine left",
		len(kinds), e.inCommits/len(kinds), e.unsure, o.Times, o.Times, t.Acknowledged, t.Refused,
		t.Unknown, t.Happened, t.Slowest.Round(100*time.Millisecond), e.recovery.Round(10*time.Millisecond)), nil
}

// experiment is a service behind a proxy, with customers before it.
type experiment struct {
	Options
	lab     *lab.Lab
	random  *rand.Rand
	cluster *lab.Cluster
	proxy   *toxiproxy
	service *service
	gates   gateConn
	client  *lab.Client
	load    *load.Load
	// probe are customers who find out whether the service is healthy again.
	probe *load.Load

	// inCommits counts the rounds that began in mid-COMMIT, unsure those of them after
	// which an outcome was unknown; recovery is the slowest.
	inCommits, unsure int
	recovery          time.Duration
}

func (e *experiment) open(ctx context.Context) (err error) {
	if e.cluster, err = e.lab.Cluster(ctx, "network-pg", nil); err != nil {
		return err
	}
	if err := e.cluster.Migrate(ctx); err != nil {
		return err
	}
	if err := e.cluster.Exec(ctx, makeCommitGate); err != nil {
		return err
	}
	if e.proxy, err = startToxiproxy(ctx, e.lab, e.cluster.Addr()); err != nil {
		return err
	}
	if e.service, err = startService(ctx, e.lab, e.cluster.URL(e.proxy.listen)); err != nil {
		return err
	}
	if e.gates.conn, err = pgx.Connect(ctx, e.cluster.URL()); err != nil {
		return err
	}
	organizers, err := lab.People(ctx, e.cluster.URL(), 1, access.Organizer)
	if err != nil {
		return err
	}
	e.client = lab.NewClient(e.service.url)
	e.load, err = load.New(ctx, load.Options{
		Organizer: e.client.As(organizers[0]), DatabaseURL: e.cluster.URL(), Workers: customers + probes, Seed: e.Seed})
	if err != nil {
		return err
	}
	e.probe = e.load.Detach(probes)
	return nil
}

// close ends everything, the service first, to see what it leaves behind.
func (e *experiment) close(ctx context.Context) (err error) {
	if e.client != nil {
		e.client.Close()
	}
	if e.gates.conn != nil {
		err = errors.Join(err, e.gates.conn.Close(ctx))
	}
	if e.service != nil {
		err = errors.Join(err, e.service.stop(ctx))
	}
	if e.proxy != nil {
		err = errors.Join(err, e.proxy.close())
	}
	if e.cluster != nil {
		err = errors.Join(err, e.cluster.Remove())
	}
	return err
}

// run applies every fault at every moment, and then silence.
func (e *experiment) run(ctx context.Context) error {
	if err := e.open(ctx); err != nil {
		return err
	}
	done, total := 0, e.Times*len(kinds)*len(moments)
	for range e.Times {
		for _, kind := range kinds {
			for _, when := range moments {
				bad := kind(e.random)
				if err := e.round(ctx, bad, when, e.random.IntN(heldEvery) == 0); err != nil {
					return fmt.Errorf("%s %v %s, round %d: %w", bad.name, bad.attributes, when.name, done, err)
				}
				done++
				e.lab.Progress("network", done, total)
			}
		}
	}
	for i := range e.Times {
		if err := e.silence(ctx); err != nil {
			return fmt.Errorf("silence %d: %w", i, err)
		}
		e.lab.Progress("silent connections", i+1, e.Times)
	}
	return examine(ctx, e.cluster.URL())
}

// round applies a fault once, under load.
func (e *experiment) round(ctx context.Context, bad toxic, when moment, held bool) error {
	if when.gate != nil {
		if err := e.gates.exec(ctx, when.gate.shut); err != nil {
			return err
		}
	}
	before := e.load.Tally().Unknown
	answered := make(chan error, 1)
	go func() { answered <- e.load.Each(ctx) }()
	if err := e.inject(ctx, bad, when); err != nil {
		return errors.Join(err, e.proxy.removeToxics(ctx), <-answered)
	}
	var broken error
	if held {
		broken = <-answered
	} else {
		lab.Pause(ctx, time.Duration(50+e.random.IntN(300))*time.Millisecond)
	}
	unhealthy := e.recover(ctx)
	if !held {
		broken = <-answered
	}
	if err := errors.Join(unhealthy, broken); err != nil {
		return err
	}
	if when.gate != nil {
		e.inCommits++
		if e.load.Tally().Unknown > before {
			e.unsure++
		}
	}
	return e.examine(ctx)
}

// inject applies a fault at its moment.
func (e *experiment) inject(ctx context.Context, bad toxic, when moment) error {
	if when.gate == nil {
		lab.Pause(ctx, time.Duration(e.random.IntN(20_000))*time.Microsecond)
		return e.proxy.addToxic(ctx, bad, when.way(e.random))
	}
	err := e.gates.await(ctx)
	if err == nil {
		err = e.proxy.addToxic(ctx, bad, when.way(e.random))
	}
	return errors.Join(err, e.gates.exec(ctx, when.gate.open))
}

// recover removes the fault, and measures how long the service takes to be healthy:
// ready, and serving bookings in the same slots.
func (e *experiment) recover(ctx context.Context) error {
	if err := e.proxy.removeToxics(ctx); err != nil {
		return err
	}
	healed := lab.Now()
	ready := make(chan error, 1)
	go func() { ready <- lab.Await(ctx, settleBound, e.service.ready) }()
	if err := errors.Join(e.probe.Served(ctx, settleBound), lab.Broken(<-ready)); err != nil {
		return fmt.Errorf("after the network worked again: %w", err)
	}
	took := lab.Now() - healed
	e.recovery = max(e.recovery, took)
	if took > e.Healthy {
		return lab.Broken(fmt.Errorf("healthy only %s after the network worked again", took))
	}
	return nil
}

// examine resolves unknown outcomes, and compares what everybody was told with what
// the database has.
func (e *experiment) examine(ctx context.Context) error {
	if err := errors.Join(e.load.Settle(ctx, settleBound), e.probe.Settle(ctx, settleBound)); err != nil {
		return err
	}
	return errors.Join(e.load.Check(ctx, e.cluster.URL(), e.lab.Dir()), e.probe.Check(ctx, e.cluster.URL(), e.lab.Dir()))
}
