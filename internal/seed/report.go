package seed

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Report says what was seeded, and what to try with it.
type Report struct {
	Number int64
	Now    time.Time
	// Scale and Counts are zero in a report of Recall.
	Scale     int
	Counts    Counts
	Scenarios []Scenario
}

// Print writes the report as tables.
func (r Report) Print(to io.Writer) error {
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	c := r.Counts
	if c == (Counts{}) {
		fmt.Fprintf(out, "Seeded as of %s (seed %d).\n", r.Now.Format(time.RFC3339), r.Number)
	} else {
		fmt.Fprintf(out, "Seeded %d users, %d events, %d slots and %d bookings with %d ledger entries, as of %s (seed %d, scale %d).\n",
			c.Users, c.Events, c.Slots, c.Bookings, c.Entries, r.Now.Format(time.RFC3339), r.Number, r.Scale)
	}
	fmt.Fprintf(out, "All users have the password %q, except admin@example.com: %q. Paths of requests are relative to /api/v1.\n", password, visitorsPassword)
	for _, s := range r.Scenarios {
		fmt.Fprintf(out, "\n%s\n", s.Name)
		for _, step := range s.Steps {
			email := step.Email
			if email == "" {
				email = "(no login)"
			}
			fmt.Fprintf(out, "  %s\t%s\t%s\n", email, step.Request, step.Shows)
		}
	}
	return out.Flush()
}

// Scenario returns the scenario with a name, or the zero Scenario.
func (r Report) Scenario(name string) Scenario {
	for _, s := range r.Scenarios {
		if s.Name == name {
			return s
		}
	}
	return Scenario{}
}
