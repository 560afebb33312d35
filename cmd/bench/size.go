//go:build unix

package main

import (
	"context"
	"fmt"
	"os"

	"eventbooking/internal/bench/size"
	"eventbooking/internal/proof/lab"
)

// sizeCommand are the flags of the measurement at size.
type sizeCommand struct {
	Events int  `default:"1000000" help:"How many events the large database has. There are three slots, 1.4 bookings and 10 entries of the ledger for each, and 5 GB of disk for a million."`
	Rounds int  `default:"20" help:"How often each request is made, in turn on the small and the large database."`
	Keep   bool `help:"Keep the directory with the logs and the databases."`
}

// Run measures until it is done or ctx ends.
func (c sizeCommand) Run(ctx context.Context) error {
	if c.Events < size.LeastEvents || c.Events > size.MostEvents {
		return fmt.Errorf("%w: --events: %d is not between %d and %d", errUsage, c.Events, size.LeastEvents, size.MostEvents)
	}
	if c.Rounds < 1 || c.Rounds > size.MostRounds {
		return fmt.Errorf("%w: --rounds: %d is not between 1 and %d", errUsage, c.Rounds, size.MostRounds)
	}
	return inLab(ctx, c.Keep, func(l *lab.Lab) error {
		return size.Run(ctx, l, size.Options{Events: c.Events, Rounds: c.Rounds}, os.Stdout, os.Stderr)
	})
}
