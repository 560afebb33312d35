//go:build unix

// Package linear asks somebody else: porcupine, a checker of linearizability that
// knows nothing of versions, ledgers or this service. It gets what clients asked
// over HTTP, what they were answered and when, and a model of a few slots; it
// finds an order in which the model, one call after the
// other, answers the same, or says that there is none.
//
// model.go has the models: one of a slot with its queue, and one of three slots
// which concern each other, both made of the specification. history.go asks the
// service, clients.go says for what.
package linear

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"eventbooking/internal/proof/lab"
)

// Options say how much is asked.
type Options struct {
	// Histories are so many of one slot, and as many of three slots.
	Histories int
	// Clients ask at the same time, at most maxClients of them; Operations is how
	// often each does in a history of one slot.
	Clients, Operations int
	Seed                uint64
	Subject             lab.Subject
}

const (
	// maxClients is how many the search for an order can take.
	maxClients = 10
	// atOnce is how many histories are made at the same time.
	atOnce = 4
	// roundOperations is how often a client asks before all pause together. With
	// nothing in flight, a list of the bookings shows the whole state of the slot, the
	// only one that it can be in: the history is cut there, checked so far, and goes
	// on from that state. No violation is lost by it. Ten thousand operations in one
	// piece took nine seconds and 1.5 GB to check, in twenty pieces one second and
	// 40 MB; and the picture of a piece can be read.
	roundOperations = 50
	// leastCapacity is enough for every booking by itself. With more, up to a seat
	// for each user, there is sometimes a queue and sometimes none.
	leastCapacity = 2
	// Three slots have many more states, and not all of a state is to be seen: their
	// histories are short and are not cut.
	threeClients    = 4
	threeOperations = 60
)

// Prove makes histories and has them checked.
func Prove(ctx context.Context, l *lab.Lab, o Options) (figure string, err error) {
	if o.Clients < 1 || o.Clients > maxClients {
		return "", fmt.Errorf("%d clients: it has to be 1 to %d", o.Clients, maxClients)
	}
	deployment, err := l.Deploy(ctx, "linear", o.Subject)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, deployment.Close()) }()
	users, err := deployment.People(ctx, o.Histories*(slotUsers+threeUsers))
	if err != nil {
		return "", err
	}
	p := &proof{Options: o, lab: l, deployment: deployment}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for n := range o.Histories {
		own := users[n*(slotUsers+threeUsers):][:slotUsers+threeUsers]
		group.Go(func() error { return p.slot(inner, n, own[:slotUsers]) })
		group.Go(func() error { return p.three(inner, n, own[slotUsers:]) })
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d histories × %d clients × %d operations on a slot each, %d × %d × %d on three: %d operations checked by porcupine, 0 violations",
		o.Histories, o.Clients, o.Operations, o.Histories, threeClients, threeOperations, p.checked.Load()), nil
}

type proof struct {
	Options
	lab        *lab.Lab
	deployment *lab.Deployment
	done       atomic.Int64
	checked    atomic.Int64
}

var policy = lab.EventOptions{WaitlistMode: "automatic", Fit: "strict"}

// slot is a history of one slot.
func (p *proof) slot(ctx context.Context, n int, users []lab.Person) error {
	sources := p.sources(n, p.Clients)
	capacity := leastCapacity + sources[0].IntN(slotUsers-leastCapacity)
	state := oneSlot(capacity)
	slots, err := p.deployment.Organizer.Publish(ctx, policy, lab.Tomorrow(0, capacity))
	if err != nil {
		return err
	}
	h := newHistory(p.deployment, users, slots)
	for done := 0; done < p.Operations; done += roundOperations {
		operations, lists, undone, err := h.round(ctx, inSlot, sources, min(roundOperations, p.Operations-done))
		if err != nil {
			return err
		}
		name := fmt.Sprintf("history %d of slot %s, from operation %d of each client on", n, slots[0].ID, done)
		if err := p.check(name, slotModel(state), operations, undone); err != nil {
			return err
		}
		state = slotAt(capacity, lists[0])
	}
	p.progress()
	return nil
}

// three is a history of three slots.
func (p *proof) three(ctx context.Context, n int, users []lab.Person) error {
	sources := p.sources(-1-n, threeClients)
	capacity := [3]int{1 + sources[0].IntN(3), 1 + sources[0].IntN(3), 1 + sources[0].IntN(3)}
	policy, perUser := policy, n%3 // any number, one, or two
	if perUser > 0 {
		policy.MaxSeatsPerUser = &perUser
	}
	made, err := p.deployment.Organizer.Publish(ctx, policy,
		lab.Tomorrow(0, capacity[0]), lab.Tomorrow(1, capacity[1]), lab.Tomorrow(6, capacity[2]))
	if err != nil {
		return err
	}
	operations, _, undone, err := newHistory(p.deployment, users, made).round(ctx, inThree, sources, threeOperations)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("history %d of three slots of event %s", n, made[0].EventID)
	if err := p.check(name, threeModel(capacity, perUser), operations, undone); err != nil {
		return err
	}
	p.progress()
	return nil
}

// sources are the randomness of a history's clients.
func (p *proof) sources(history, clients int) []*rand.Rand {
	sources := make([]*rand.Rand, clients)
	for i := range sources {
		sources[i] = rand.New(rand.NewPCG(p.Seed, uint64(history)<<8|uint64(i)))
	}
	return sources
}

func (p *proof) progress() {
	p.lab.Progress("histories for porcupine", int(p.done.Add(1)), 2*p.Histories)
}
