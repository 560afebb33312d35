//go:build unix

package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"eventbooking/internal/account"
)

// floodConnections is how many requests somebody makes at once, beside whom others are
// served.
const floodConnections = 1200

// floodFrom is their address, which is another one than that of the bystanders.
var floodFrom = net.IPv4(127, 0, 0, 2)

// flood is what somebody does with all of these connections.
type flood struct {
	name string
	set  func(t *target, r *fasthttp.Request)
}

// calm is the flood that the others are compared with: it costs the machine as much, and
// takes nothing of what others need.
const calm = "/livez"

var floods = []flood{
	{calm, func(_ *target, r *fasthttp.Request) { r.SetRequestURI(calm) }},
	{"/me of one user", func(t *target, r *fasthttp.Request) { get(r, "/me", &t.people[0]) }},
	{"PATCH /me of one user", func(t *target, r *fasthttp.Request) {
		get(r, "/me", &t.people[0])
		r.Header.SetMethod(http.MethodPatch)
		r.Header.SetContentType("application/json")
		r.SetBodyString(`{"name":"Busy"}`)
	}},
	{"made-up tokens", func(_ *target, r *fasthttp.Request) {
		get(r, "/me", nil)
		r.Header.Set("Authorization", "Bearer "+string(account.NewSecret()))
	}},
	{"events, no token", func(_ *target, r *fasthttp.Request) { get(r, page, nil) }},
}

// bystander measures /me of one user after the other over one connection, beside floods,
// in a process with the rate limits and bounds of callers that are on by default. A rate that is half of that beside
// /livez means that each waits twice as long.
func (b *bench) bystander(ctx context.Context) error {
	binary, err := b.lab.Binary()
	if err != nil {
		return err
	}
	// An empty setting is the default.
	defaults := map[string]string{"WORKERS": "false", "RATE_LIMITS": "", "MAX_REQUESTS_PER_CALLER": ""}
	service, err := b.lab.Service(ctx, "bystander", binary, b.service.url, defaults)
	if err != nil {
		return err
	}
	t := &target{service: service, cpu: cpuTimes{service: service.PID(), postmaster: b.cluster.PID()}, people: b.service.people}
	me := load{connections: 1, user: everyConnection(stateless(func(r *fasthttp.Request) bool {
		get(r, "/me", &t.people[1+rand.IntN(readers)])
		return true
	}))}
	lines := []line{{name: "alone", measure: func(_ context.Context, window time.Duration) (Sample, error) { return t.run(me, window) }}}
	for _, f := range floods {
		lines = append(lines, line{name: "beside " + f.name, measure: t.beside(f, me), over: []reference{{"beside " + calm, "beside " + calm}}})
	}
	return b.table(ctx, fmt.Sprintf("/me of others over one connection, beside %d of somebody, limits at their defaults", floodConnections), lines)
}

// beside measures a load while a flood is on.
func (t *target) beside(f flood, l load) measure {
	flooding := load{connections: floodConnections, from: floodFrom, user: everyConnection(stateless(func(r *fasthttp.Request) bool {
		f.set(t, r)
		return true
	}))}
	return func(_ context.Context, window time.Duration) (Sample, error) {
		// Its errors say nothing, since most or all of it is refused, but that it can begin.
		first, err := flooding.dial(t.service.Addr())
		if err != nil {
			return Sample{}, err
		}
		_ = first.Close()
		var ended sync.WaitGroup
		ended.Go(func() { _, _ = t.run(flooding, window+3*warmUp) })
		defer ended.Wait()
		time.Sleep(2 * warmUp) // until all of its connections have asked: a load has no other sign of that
		return t.run(l, window)
	}
}
