//go:build unix

package network

import "math/rand/v2"

// direction is that of the data which a fault hits, in the words of the proxy.
type direction string

const (
	toDatabase   direction = "upstream"
	fromDatabase direction = "downstream"
)

// toxic is a fault, in the words of the proxy.
type toxic struct {
	// name and attributes are the proxy's for it. Without attributes the proxy itself
	// is down, in both directions.
	name       string
	attributes map[string]int
	// cuts: what is on its way does not arrive.
	cuts bool
}

// kinds make the faults, a little different each time.
var kinds = []func(*rand.Rand) toxic{
	// The next that passes is answered by a reset.
	func(*rand.Rand) toxic {
		return toxic{name: "reset_peer", attributes: map[string]int{"timeout": 0}, cuts: true}
	},
	// Nothing passes, and nobody is told.
	func(*rand.Rand) toxic {
		return toxic{name: "timeout", attributes: map[string]int{"timeout": 0}, cuts: true}
	},
	// Some bytes pass, in the middle of a message or between two, then the end.
	func(r *rand.Rand) toxic {
		return toxic{name: "limit_data", attributes: map[string]int{"bytes": r.IntN(1 << r.IntN(12))}, cuts: true}
	},
	// Everything passes in small pieces.
	func(r *rand.Rand) toxic {
		return toxic{name: "slicer", attributes: map[string]int{"average_size": 8 + r.IntN(64), "size_variation": 7, "delay": 50}}
	},
	func(r *rand.Rand) toxic {
		return toxic{name: "latency", attributes: map[string]int{"latency": 50 + r.IntN(300), "jitter": 49}}
	},
	func(r *rand.Rand) toxic {
		return toxic{name: "bandwidth", attributes: map[string]int{"rate": 1 + r.IntN(20)}}
	},
	// The proxy is gone: connections end, and new ones are refused.
	func(*rand.Rand) toxic { return toxic{name: "down", cuts: true} },
}
