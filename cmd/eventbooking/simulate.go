package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/simulation"
)

type simulate struct {
	SlotID uuid.UUID  `arg:"" name:"slot-id" help:"The slot to simulate."`
	Rate   float64    `default:"0.1" help:"Share of the confirmed bookings that are cancelled: 0.1 is one in ten."`
	Number uint64     `name:"seed" default:"1" help:"Random seed. The same seed gives the same result."`
	Until  *time.Time `placeholder:"TIME" help:"End of the simulated time, such as 2026-12-01T18:00:00Z. Default: the slot's start."`
	Runs   int        `default:"20" help:"How often each policy is simulated, at most 200."`
}

// Run compares waitlist policies on a copy of a slot, and prints the comparison.
func (c simulate) Run(s *session) error {
	return s.withSchema(postgres.ReadRows, func(pool *pgxpool.Pool) error {
		result, err := simulation.OfSlot(s.ctx, pool, c.SlotID, simulation.Assumptions{
			CancellationRate: c.Rate, Seed: c.Number, Until: c.Until, Runs: c.Runs,
		})
		if err != nil {
			return errWithField(err)
		}
		return printSimulation(s.out, result)
	})
}

// errWithField returns a fault with the detail of its first wrong field, which the
// API would show in the problem's errors.
func errWithField(err error) error {
	f := fault.Of(err)
	if f == nil || len(f.Fields) == 0 {
		return err
	}
	return errUsage("%s %s", strings.TrimPrefix(f.Fields[0].Pointer, "/"), f.Fields[0].Detail)
}

func printSimulation(out io.Writer, s simulation.Simulation) error {
	fmt.Fprintf(out, "Estimate for slot %s at version %d, not a forecast.\nAssumed: %s\n\n", s.SlotID, s.SlotVersion, s)
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "mode\tfit\tpromoted\t8 of 10 runs\tstill waiting\tpassed over\tmedian wait\t\t")
	for _, p := range s.Policies {
		wait, current := "-", ""
		if p.Promoted > 0 {
			wait = p.WaitMedian.Round(time.Minute).String()
		}
		if p.Current {
			current = "<- current"
		}
		fmt.Fprintf(table, "%s\t%s\t%.1f\t%.0f to %.0f\t%.1f\t%.1f\t%s\t%s\t\n",
			p.Mode, p.Fit, p.Promoted, p.PromotedP10, p.PromotedP90, p.StillWaiting, p.Passed, wait, current)
	}
	return table.Flush()
}
