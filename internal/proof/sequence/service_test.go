//go:build unix

package sequence

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"eventbooking/internal/access"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/proof/spec"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// service is the whole service on a database of its own. Every sequence has an
// event and people of its own in it.
type service struct {
	t    *testing.T
	url  string // of the database
	base string // of the service
	pool *pgxpool.Pool
}

func openService(t *testing.T) *service {
	t.Helper()
	url := testkit.DatabaseURL(t)
	app, err := server.New(t.Context(), server.Config{
		DatabaseURL: url, MaxConns: 4, Workers: true, RequestTimeout: time.Minute, PollJobs: testkit.Pooled(), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	must(t, app.Start(t.Context(), nil))
	listener := httptest.NewServer(app.Handler())
	t.Cleanup(func() {
		listener.Close()
		must(t, app.Stop(context.Background()))
	})
	return &service{t: t, url: url, base: listener.URL, pool: testkit.Connect(t, url, testkit.MaxConns(2))}
}

// restLimit bounds how long the service may take to come to rest.
const restLimit = 30 * time.Second

// rest waits until nothing is left to be done: no job, and no promotion that is due.
func (s *service) rest() error {
	return lab.Await(s.t.Context(), restLimit, func(ctx context.Context) error {
		var busy bool
		err := s.pool.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM river.river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded'))
			    OR EXISTS (SELECT FROM slots WHERE promotion_due_at IS NOT NULL)`).Scan(&busy)
		if err == nil && busy {
			err = fmt.Errorf("work is left to be done")
		}
		return err
	})
}

// reporter is a test with everything that the client of the test kit wants: what
// it finds wrong belongs to the sequence, which rapid then makes shorter.
type reporter struct {
	testing.TB
	run tester
}

// tester is what the tests of go test and of rapid have in common.
type tester interface {
	rapid.TB
	Cleanup(func())
	Context() context.Context
}

func (r reporter) Cleanup(f func())         { r.run.Cleanup(f) }
func (r reporter) Context() context.Context { return r.run.Context() }

func (r reporter) Helper()                           { r.run.Helper() }
func (r reporter) Name() string                      { return r.run.Name() }
func (r reporter) Log(args ...any)                   { r.run.Log(args...) }
func (r reporter) Logf(format string, args ...any)   { r.run.Logf(format, args...) }
func (r reporter) Skip(args ...any)                  { r.run.Skip(args...) }
func (r reporter) Skipf(format string, args ...any)  { r.run.Skipf(format, args...) }
func (r reporter) SkipNow()                          { r.run.SkipNow() }
func (r reporter) Error(args ...any)                 { r.run.Error(args...) }
func (r reporter) Errorf(format string, args ...any) { r.run.Errorf(format, args...) }
func (r reporter) Fatal(args ...any)                 { r.run.Fatal(args...) }
func (r reporter) Fatalf(format string, args ...any) { r.run.Fatalf(format, args...) }
func (r reporter) FailNow()                          { r.run.FailNow() }
func (r reporter) Fail()                             { r.run.Fail() }
func (r reporter) Failed() bool                      { return r.run.Failed() }

// draw makes an event by chance.
func (s *service) draw(t *rapid.T) *run {
	rules := drawRules(t)
	rules.Limit = rapid.SampledFrom([]int{spec.None, spec.None, 1, 2}).Draw(t, "limit")
	// Two that overlap one between them, and one apart.
	hours := []int{0, 1, 2, 6}[:rapid.IntRange(3, 4).Draw(t, "slots")]
	people := rapid.IntRange(4, 6).Draw(t, "people")
	capacities := make([]int, len(hours))
	for i := range capacities {
		capacities[i] = rapid.SampledFrom([]int{1, 2, 3, 4}).Draw(t, "capacity")
	}
	return s.publish(t, rules, people, hours, capacities)
}

// drawRules draws the rules that can be edited.
func drawRules(t *rapid.T) spec.Rules {
	return spec.Rules{
		Waitlist:   rapid.SampledFrom([]spec.Mode{spec.Automatic, spec.Offer, spec.Automatic, spec.Offer, spec.Off}).Draw(t, "waitlist"),
		FirstFit:   rapid.Bool().Draw(t, "first fit"),
		MaxPasses:  rapid.IntRange(0, 2).Draw(t, "passes"),
		PerBooking: rapid.SampledFrom([]int{0, 0, 2, 3}).Draw(t, "per booking"),
		PerUser:    rapid.SampledFrom([]int{0, 0, 2, 3, 4}).Draw(t, "per user"),
	}
}

// publish makes an event with its slots and people, in the model and in the service.
func (s *service) publish(t tester, rules spec.Rules, people int, hours, capacities []int) *run {
	r := &run{service: s, t: t}
	var slots []spec.Slot
	for i, hour := range hours {
		slots = append(slots, spec.Slot{From: hour, To: hour + 2, Capacity: capacities[i]})
		r.wanted = append(r.wanted, lab.Tomorrow(hour, capacities[i]))
	}
	r.model = spec.New(rules, slots...)
	ctx := s.t.Context()
	var err error
	r.organizers, err = lab.People(ctx, r.url, 2, access.Organizer)
	must(t, err)
	r.people, err = lab.People(ctx, r.url, people, access.Attendee)
	must(t, err)
	r.client = testkit.NewClient(reporter{s.t, t}, r.base).RetryBusy()
	minutes := 60
	options := lab.EventOptions{WaitlistMode: string(rules.Waitlist), Fit: "strict", MaxPasses: &rules.MaxPasses,
		HoldMinutes: &minutes, OfferMinutes: &minutes}
	if rules.FirstFit {
		options.Fit = "first_fit"
	}
	if rules.PerBooking > 0 {
		options.MaxSeatsPerBooking = &rules.PerBooking
	}
	if rules.PerUser > 0 {
		options.MaxSeatsPerUser = &rules.PerUser
	}
	if rules.Limit != spec.None {
		options.WaitlistLimit = &rules.Limit
	}
	publisher := lab.NewClient(r.base)
	defer publisher.Close()
	made, err := publisher.As(r.organizers[0]).Publish(ctx, options, r.wanted...)
	must(t, err)
	r.event = made[0].EventID
	for _, slot := range made {
		r.slots = append(r.slots, slot.ID)
	}
	return r
}

func must(t rapid.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(strings.TrimSpace(err.Error()))
	}
}
