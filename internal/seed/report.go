package seed

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"eventbooking/internal/fault"
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
		fmt.Fprintf(out, "Seeded %s, %s, %s and %s with %s, as of %s (seed %d, scale %d).\n",
			fault.Count(int(c.Users), "user"), fault.Count(int(c.Events), "event"), fault.Count(int(c.Slots), "slot"), fault.Count(int(c.Bookings), "booking"),
			fault.Count(int(c.Entries), "ledger entry"), r.Now.Format(time.RFC3339), r.Number, r.Scale)
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
