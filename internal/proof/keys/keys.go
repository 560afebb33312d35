//go:build unix

// Package keys shows that an idempotency key has one effect: every command is
// sent up to twenty times at once, to two processes on one database, which are
// killed now and then. All successes are the same, none is refused afterwards, and
// each effect is stored once.
package keys

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/load"
)

// Options say how many keys are tried.
type Options struct {
	Keys    int
	Seed    uint64
	Subject lab.Subject
}

const (
	// senders are how many people send a key at the same time, capacity how many
	// seats there are in each slot for them.
	senders  = 16
	capacity = 4
	// mostTimes is how often a key is sent at once, at most.
	mostTimes = 20
	// One key in otherRequest comes again with another request.
	otherRequest = 4
	// keysAKill is how many keys there are for each kill of a process, where there
	// are enough for fewestKills.
	keysAKill   = 2000
	fewestKills = 2
)

// Prove sends the keys, and counts the effects.
func Prove(ctx context.Context, l *lab.Lab, o Options) (figure string, err error) {
	o.Subject.Processes = 2
	deployment, err := l.Deploy(ctx, "keys", o.Subject)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, deployment.Close()) }()
	t := &trial{lab: l, deployment: deployment, total: int64(o.Keys), killEvery: int64(max(1, min(keysAKill, o.Keys/(fewestKills+1))))}
	all, err := t.senders(ctx, o.Seed)
	if err != nil {
		return "", err
	}
	group, sending := errgroup.WithContext(ctx)
	for _, s := range all {
		group.Go(func() error { return s.run(sending) })
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	if err := t.examine(ctx, all); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d keys sent %d times to two processes, killed %d times, and %d times with another request: 0 exceptions",
		t.total, t.sent.Load(), t.killed, t.others.Load()), nil
}

// trial is one run of the experiment.
type trial struct {
	lab        *lab.Lab
	deployment *lab.Deployment
	total      int64
	// killEvery is how many keys there are for each kill.
	killEvery int64

	// taken counts keys, sent how often they were sent, others how often with
	// another request.
	taken, sent, others atomic.Int64
	receipts            load.Receipts

	killing sync.Mutex
	killed  int
}

func (t *trial) senders(ctx context.Context, seed uint64) ([]*sender, error) {
	fixture, err := load.Publish(ctx, t.deployment.Organizer, capacity)
	if err != nil {
		return nil, err
	}
	people, err := lab.People(ctx, t.deployment.Cluster.URL(), senders, access.Organizer)
	if err != nil {
		return nil, err
	}
	all := make([]*sender, len(people))
	for i, p := range people {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		all[i] = &sender{
			trial: t, random: random, fixture: fixture, person: p,
			customer: fixture.Customer(p, random), organizing: organizing{self: t.deployment.Organizer.As(p), fixture: fixture, random: random},
		}
	}
	return all, nil
}

// kill ends one of the processes, and starts it again. The other one serves on.
func (t *trial) kill(ctx context.Context) error {
	t.killing.Lock()
	defer t.killing.Unlock()
	all := append([]*lab.Service{t.deployment.Service}, t.deployment.Others...)
	victim := all[t.killed%len(all)]
	t.killed++
	return errors.Join(victim.Kill(), victim.Start(ctx))
}
