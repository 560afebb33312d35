package bench

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// load is requests over a number of connections, each of which is used by one user
// after the other. In a closed loop a connection sends its next request when the last
// one is answered, so a slow server is asked less. In an open loop requests are due at
// fixed times whatever the server does, and latencies count from the time at which a
// request was due.
type load struct {
	connections int
	// rate is in requests a second, over all connections, of an open loop; 0 is a closed one.
	rate float64
	// from is the address that it comes from; nil is any.
	from net.IP
	// user makes what the connection of an index sends.
	user func(connection int) user
}

// user is the sender of the requests of one connection.
type user interface {
	// next sets a request up, which is empty. It returns false if there is none left.
	next(*fasthttp.Request) bool
	// answered is told every answer.
	answered(*fasthttp.Response)
}

// errNoneLeft means that a load ran out of what it could ask for.
var errNoneLeft = errors.New("all requests that were prepared are sent: measure for a shorter time")

// answerTimeout bounds the wait for an answer. It is longer than the service's own.
const answerTimeout = 30 * time.Second

// run puts the load on a server for the time of warmUp and the window, and measures
// within the window. It reads the CPU times of both at its ends.
func (l load) run(addr string, window time.Duration, cpu cpuTimes) (Sample, error) {
	g := &generator{load: l, addr: addr, began: time.Now()}
	var connections sync.WaitGroup
	clients := make([]*client, l.connections)
	for i := range clients {
		clients[i] = g.client(i)
		connections.Go(clients[i].run)
	}
	time.Sleep(warmUp)
	service, postgres := cpu.read()
	from := time.Now()
	g.phase.Store(measuring)
	time.Sleep(window)
	g.phase.Store(over)
	sample := Sample{Elapsed: time.Since(from)}
	serviceAfter, postgresAfter := cpu.read()
	sample.Service, sample.Postgres = difference(serviceAfter, service), difference(postgresAfter, postgres)
	connections.Wait()
	var refused error
	for _, c := range clients {
		sample.Latencies = append(sample.Latencies, c.latencies...)
		sample.Failed += c.failed
		refused = errors.Join(refused, c.err)
	}
	slices.Sort(sample.Latencies)
	sample.Requests = len(sample.Latencies)
	switch {
	case g.noneLeft.Load():
		return sample, errNoneLeft
	case sample.Requests == 0:
		return sample, fmt.Errorf("no request succeeded: %w", refused)
	}
	return sample, nil
}

// The phases of a load: what is sent before measuring is not counted.
const (
	measuring = iota + 1
	over
)

type generator struct {
	load
	addr     string
	began    time.Time
	phase    atomic.Int32
	due      atomic.Int64
	noneLeft atomic.Bool
}

// client is one connection.
type client struct {
	*generator
	http      fasthttp.HostClient
	user      user
	latencies []time.Duration
	failed    int
	err       error // the first failure
}

func (g *generator) client(i int) *client {
	return &client{generator: g, user: g.user(i), latencies: make([]time.Duration, 0, 4096), http: fasthttp.HostClient{
		Addr: g.addr, MaxConns: 1, ReadTimeout: answerTimeout, WriteTimeout: answerTimeout, NoDefaultUserAgentHeader: true,
		MaxIdemponentCallAttempts: 1, Dial: g.dial}}
}

func (l load) dial(addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: answerTimeout}
	if l.from != nil {
		dialer.LocalAddr = &net.TCPAddr{IP: l.from}
	}
	return dialer.Dial("tcp", addr)
}

func (c *client) run() {
	var request fasthttp.Request
	var response fasthttp.Response
	for c.phase.Load() != over {
		request.Reset()
		if !c.user.next(&request) {
			c.noneLeft.Store(true)
			return
		}
		request.Header.SetHost(c.addr)
		sent := c.wait()
		if c.phase.Load() == over {
			break
		}
		err := c.http.Do(&request, &response)
		c.count(time.Since(sent), &response, err)
		if err == nil {
			c.user.answered(&response)
		}
	}
	c.http.CloseIdleConnections()
}

// wait waits until the next request is due, and returns when that was or is.
func (c *client) wait() time.Time {
	if c.rate == 0 {
		return time.Now()
	}
	due := c.began.Add(time.Duration(float64(c.due.Add(1)) / c.rate * float64(time.Second)))
	time.Sleep(time.Until(due))
	return due
}

// count adds an answer of the window.
func (c *client) count(latency time.Duration, response *fasthttp.Response, err error) {
	if err == nil && response.StatusCode() >= fasthttp.StatusBadRequest {
		err = fmt.Errorf("status %d: %s", response.StatusCode(), response.Body())
	}
	if err != nil && c.err == nil {
		c.err = err
	}
	switch {
	case c.phase.Load() != measuring:
	case err != nil:
		c.failed++
	default:
		c.latencies = append(c.latencies, latency)
	}
}
