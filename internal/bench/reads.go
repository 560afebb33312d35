//go:build unix

package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"eventbooking/internal/proof/lab"
)

// page is the list that most pages of a shop begin with.
const page = "/events?limit=15"

// readers is how many users read in turn where it is not one.
const readers = 1000

// read is something that is read again and again.
type read struct {
	name string
	path func(t *target) string
	// isPublic says that it needs no token.
	isPublic bool
}

var readings = []read{
	{"page of 15 events", func(*target) string { return page }, true},
	{"event", func(t *target) string { return "/events/" + t.events[rand.IntN(len(t.events))].String() }, true},
	{"slot", func(t *target) string { return "/slots/" + t.slots[rand.IntN(len(t.slots))].ID.String() }, true},
	{"profile", func(*target) string { return "/me" }, false},
}

// reads measures what is read most, without a token, with one, and with many in turn.
// They are divided by the rate of /livez, which asks nothing, and by that of a static
// answer of the same bytes behind the same middleware.
func (b *bench) reads(ctx context.Context) error {
	static, err := b.static(ctx)
	if err != nil {
		return err
	}
	t := b.service
	const live = "/livez"
	lines := []line{{name: live, measure: t.readMeasure(func(r *fasthttp.Request) { r.SetRequestURI(live) })}}
	for _, r := range readings {
		over := []reference{{live, live}, {r.name + ", static", "static"}}
		if r.isPublic {
			lines = append(lines, line{r.name + ", no token", t.readMeasure(r.by(t, 0)), over})
		}
		lines = append(lines, line{r.name + ", one token", t.readMeasure(r.by(t, 1)), over},
			line{r.name + ", many tokens", t.readMeasure(r.by(t, readers)), over},
			line{name: r.name + ", static", measure: static.readMeasure(func(q *fasthttp.Request) { q.SetRequestURI("/" + r.file()) }), over: []reference{{live, live}}})
	}
	return b.table(ctx, fmt.Sprintf("Reads, %d connections", dayConnections), lines)
}

// by makes the requests of a number of users in turn; 0 is without a token.
func (r read) by(t *target, users int) func(*fasthttp.Request) {
	return func(request *fasthttp.Request) {
		var person *lab.Person
		if users > 0 {
			person = &t.people[rand.IntN(users)]
		}
		get(request, r.path(t), person)
	}
}

// readMeasure measures requests that never run out.
func (t *target) readMeasure(set func(*fasthttp.Request)) measure {
	l := load{connections: dayConnections, user: everyConnection(stateless(func(r *fasthttp.Request) bool {
		set(r)
		return true
	}))}
	return func(_ context.Context, window time.Duration) (Sample, error) { return t.run(l, window) }
}

// static starts a process that gives the answers that the service gave once, of each
// name in readings at that path, without any work but the middleware's.
func (b *bench) static(ctx context.Context) (*target, error) {
	dir := filepath.Join(b.lab.Dir(), "static")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	for _, r := range readings {
		answer := b.service.organizer.As(b.service.people[0]).Get(ctx, r.path(b.service))
		if err := answer.Want(http.StatusOK, nil); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, r.file()), answer.Body, 0o600); err != nil {
			return nil, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	service, err := b.lab.Run(ctx, "static", nil, self, "static", dir)
	if err != nil {
		return nil, err
	}
	return &target{service: service, cpu: cpuTimes{service: service.PID()}}, nil
}

// file is the name of the static answer.
func (r read) file() string { return strings.ReplaceAll(r.name, " ", "-") }
