package simulation

import (
	"math"

	"github.com/oapi-codegen/nullable"

	"eventbooking/gen/api"
)

// AssumptionsFrom converts a request; what it omits is as in DefaultAssumptions.
func AssumptionsFrom(body api.SimulationCreate) Assumptions {
	o := DefaultAssumptions
	if body.CancellationRate != nil {
		o.CancellationRate = *body.CancellationRate
	}
	if body.Seed != nil {
		o.Seed = uint64(*body.Seed)
	}
	if body.Runs != nil {
		o.Runs = *body.Runs
	}
	if until, err := body.Until.Get(); err == nil {
		o.Until = &until
	}
	return o
}

// JSON converts the simulation for the API.
func (s Simulation) JSON() api.Simulation {
	policies := make([]api.SimulatedPolicy, len(s.Policies))
	for i, p := range s.Policies {
		policies[i] = api.SimulatedPolicy{
			WaitlistMode: api.WaitlistMode(p.Mode), Fit: api.FitPolicy(p.Fit), MaxPasses: p.MaxPasses, Current: p.Current,
			Promoted: hundredths(p.Promoted), PromotedP10: p.PromotedP10, PromotedP90: p.PromotedP90,
			StillWaiting: hundredths(p.StillWaiting), Passed: hundredths(p.Passed), WaitHoursMedian: nullable.NewNullNullable[float64](),
		}
		if p.Promoted > 0 {
			policies[i].WaitHoursMedian.Set(hundredths(p.WaitMedian.Hours()))
		}
	}
	return api.Simulation{SlotID: s.SlotID, SlotVersion: s.SlotVersion, Estimate: true, Assumptions: s.String(), Policies: policies}
}

// hundredths rounds to two decimals, which is precise enough for an estimate.
func hundredths(x float64) float64 { return math.Round(100*x) / 100 }
