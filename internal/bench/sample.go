package bench

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Sample is what one measurement found.
type Sample struct {
	// Requests were answered with success within Elapsed, Failed were not.
	Requests, Failed int
	Elapsed          time.Duration
	// Latencies of the requests, in order; nil where they are not known.
	Latencies []time.Duration
	// Service and Postgres are the CPU time of both within Elapsed; negative where the
	// machine does not tell.
	Service, Postgres time.Duration
}

// rate is in requests a second.
func (s Sample) rate() float64 { return float64(s.Requests) / s.Elapsed.Seconds() }

// service and postgres are in microseconds of CPU time per request.
func (s Sample) service() float64  { return perRequest(s.Service, s.Requests) }
func (s Sample) postgres() float64 { return perRequest(s.Postgres, s.Requests) }

func perRequest(d time.Duration, requests int) float64 {
	if d < 0 || requests == 0 {
		return math.NaN()
	}
	return float64(d.Microseconds()) / float64(requests)
}

// latency is the quantile q of the latencies in milliseconds.
func (s Sample) latency(q float64) float64 {
	if len(s.Latencies) == 0 {
		return math.NaN()
	}
	i := min(int(q*float64(len(s.Latencies))), len(s.Latencies)-1)
	return s.Latencies[i].Seconds() * 1000
}

// series are the samples of a line, one a round.
type series []Sample

// of is a figure of every round.
func (s series) of(figure func(Sample) float64) []float64 {
	values := make([]float64, len(s))
	for i, sample := range s {
		values[i] = figure(sample)
	}
	return values
}

// figure is a median, with the range in which the true median lies.
type figure struct{ median, low, high float64 }

// confidence is how sure the range of a figure is.
const confidence = 0.95

// figureOf is the figure of the values of several rounds. Its range is between two of
// the values, the nearest that hold the true median with the confidence, whatever the
// distribution is; with fewer than six rounds it is that of all values. (Order
// statistics; see Conover, Practical Nonparametric Statistics, section 3.2.)
func figureOf(values []float64) figure {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return figure{math.NaN(), math.NaN(), math.NaN()}
	}
	cut, below := 0, math.Pow(0.5, float64(n)) // P(at most cut values lie below the median)
	for p := below; cut < (n-1)/2; cut++ {
		p *= float64(n-cut) / float64(cut+1)
		if below += p; 1-2*below < confidence {
			break
		}
	}
	return figure{(sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[cut], sorted[n-1-cut]}
}

// ratios is the figure of the quotients of two lines, round by round.
func ratios(a, b series, of func(Sample) float64) figure {
	values := make([]float64, min(len(a), len(b)))
	for i := range values {
		values[i] = of(a[i]) / of(b[i])
	}
	return figureOf(values)
}

// differs says that the range of a ratio leaves 1 out.
func (f figure) differs() bool { return f.low > 1 || f.high < 1 }

// String is the figure with two decimals.
func (f figure) String() string {
	if math.IsNaN(f.median) {
		return "–"
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", f.median, f.low, f.high)
}
