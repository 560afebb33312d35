//go:build unix

package main

import (
	"context"

	"eventbooking/internal/proof/crash"
	"eventbooking/internal/proof/defaults"
	"eventbooking/internal/proof/failover"
	"eventbooking/internal/proof/keys"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/linear"
	"eventbooking/internal/proof/mixed"
	"eventbooking/internal/proof/mutant"
	"eventbooking/internal/proof/network"
	"eventbooking/internal/proof/witness"
)

// promise is a line of the table, and how it is checked.
type promise struct {
	name, promise string
	check         func(ctx context.Context, l *lab.Lab, o options) (figure string, err error)
}

// promises are the table. In the long form the sizes are those that the page in
// docs/ tells of.
var promises = []promise{
	{"witness", "no oversell, exact order", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		return witness.Prove(ctx, l, witness.Options{Operations: o.size(20_000, 1_000_000), InFlight: o.size(200, 500), Seed: o.Seed})
	}},
	{"linear", "the same, without the witness", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		return linear.Prove(ctx, l, linear.Options{Histories: o.size(6, 200), Clients: 10, Operations: o.size(200, 1000), Seed: o.Seed})
	}},
	{"mutants", "the checkers catch bugs", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		return mutant.Prove(ctx, l, mutant.Options{Checkers: checkers(o)})
	}},
	{"crashes", "acknowledged = durable, unacknowledged = whole or absent", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		kills := o.size(8, 200)
		return crash.Prove(ctx, l, crash.Options{ServiceKills: kills, DatabaseKills: kills, Workers: 48, Seed: o.Seed})
	}},
	{"due", "what is due is passed on, also after a kill", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		return crash.Due(ctx, l, crash.DueOptions{Holds: o.size(500, 10_000)})
	}},
	{"failover", "nothing acknowledged is lost in a failover", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		return failover.Prove(ctx, l, failover.Options{Failovers: o.size(2, 20), Seed: o.Seed})
	}},
	{"keys", "one effect per key", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		return keys.Prove(ctx, l, keys.Options{Keys: o.size(1000, 100_000), Seed: o.Seed})
	}},
	{"deadlocks", "no deadlock", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		return mixed.Prove(ctx, l, mixed.Options{Commands: o.size(10_000, 1_000_000), Seed: o.Seed})
	}},
	{"networks", "bad networks", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		return network.Prove(ctx, l, network.Options{Times: o.size(2, 50), Seed: o.Seed})
	}},
	{"defaults", "no default of a database matters", func(ctx context.Context, l *lab.Lab, o options) (string, error) {
		return defaults.Prove(ctx, l, defaults.Options{Long: o.Long})
	}},
}

// checkers are those that look at mutants, in a size at which each still sees
// what it must see.
func checkers(o options) map[string]mutant.Checker {
	return map[string]mutant.Checker{
		mutant.Witness: func(ctx context.Context, l *lab.Lab, s lab.Subject) (string, error) {
			return witness.Prove(ctx, l, witness.Options{Operations: 4000, InFlight: 64, Seed: o.Seed, Subject: s})
		},
		mutant.Linear: func(ctx context.Context, l *lab.Lab, s lab.Subject) (string, error) {
			return linear.Prove(ctx, l, linear.Options{Histories: 3, Clients: 10, Operations: 100, Seed: o.Seed, Subject: s})
		},
		mutant.Keys: func(ctx context.Context, l *lab.Lab, s lab.Subject) (string, error) {
			return keys.Prove(ctx, l, keys.Options{Keys: 100, Seed: o.Seed, Subject: s})
		},
		mutant.Crash: func(ctx context.Context, l *lab.Lab, s lab.Subject) (string, error) {
			return crash.Prove(ctx, l, crash.Options{DatabaseKills: 10, Workers: 32, Seed: o.Seed, Subject: s})
		},
		mutant.Sequences: mutant.Tests("internal/proof/sequence", "TestTheServiceAnswersNamedSequencesAsSpecified"),
		mutant.Starting:  mutant.Tests("internal/desk", "TestASlotThatStartsWhileItIsReadHasItsQueueOnce"),
	}
}

func names() []string {
	var all []string
	for _, p := range promises {
		all = append(all, p.name)
	}
	return all
}

// size is a number of the short form, or of the long one.
func (o options) size(short, long int) int {
	if o.Long {
		return long
	}
	return short
}
