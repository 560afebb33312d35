//go:build unix

package sequence_test

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
	"eventbooking/internal/proof/sequence"
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
		DatabaseURL: url, MaxConns: 4, Workers: true, RequestTimeout: time.Minute, Log: slog.New(slog.DiscardHandler)})
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

// witness is rapid's test with everything that the client of the test kit wants:
// what it finds wrong belongs to the sequence, which is then made shorter.
type witness struct {
	testing.TB
	drawn *rapid.T
}

func (w witness) Helper()                           { w.drawn.Helper() }
func (w witness) Name() string                      { return w.drawn.Name() }
func (w witness) Log(args ...any)                   { w.drawn.Log(args...) }
func (w witness) Logf(format string, args ...any)   { w.drawn.Logf(format, args...) }
func (w witness) Skip(args ...any)                  { w.drawn.Skip(args...) }
func (w witness) Skipf(format string, args ...any)  { w.drawn.Skipf(format, args...) }
func (w witness) SkipNow()                          { w.drawn.SkipNow() }
func (w witness) Error(args ...any)                 { w.drawn.Error(args...) }
func (w witness) Errorf(format string, args ...any) { w.drawn.Errorf(format, args...) }
func (w witness) Fatal(args ...any)                 { w.drawn.Fatal(args...) }
func (w witness) Fatalf(format string, args ...any) { w.drawn.Fatalf(format, args...) }
func (w witness) FailNow()                          { w.drawn.FailNow() }
func (w witness) Fail()                             { w.drawn.Fail() }
func (w witness) Failed() bool                      { return w.drawn.Failed() }
func (w witness) Cleanup(f func())                  { w.drawn.Cleanup(f) }
func (w witness) Context() context.Context          { return w.drawn.Context() }

// draw makes an event by chance, in the model and in the service.
func (s *service) draw(t *rapid.T) *machine {
	rules := sequence.Rules{
		Waitlist:  rapid.SampledFrom([]string{"automatic", "offer", "automatic", "offer", "off"}).Draw(t, "waitlist"),
		Limit:     rapid.SampledFrom([]int{sequence.None, sequence.None, 1, 2}).Draw(t, "limit"),
		FirstFit:  rapid.Bool().Draw(t, "first fit"),
		MaxPasses: rapid.IntRange(0, 2).Draw(t, "passes"),
	}
	// Two that overlap one between them, and one apart.
	hours := []int{0, 1, 2, 6}[:rapid.IntRange(3, 4).Draw(t, "slots")]
	people := rapid.IntRange(4, 6).Draw(t, "people")
	m := &machine{service: s, t: t}
	var model []sequence.Slot
	var wanted []lab.SlotOptions
	for _, hour := range hours {
		capacity := rapid.SampledFrom([]int{1, 2, 3, 4}).Draw(t, "capacity")
		model = append(model, sequence.Slot{From: hour, To: hour + 2, Capacity: capacity})
		wanted = append(wanted, lab.Tomorrow(hour, capacity))
	}
	m.house, m.wanted = sequence.New(rules, model...), wanted
	m.settle(people, rules, wanted)
	return m
}

// settle makes the event and the people in the service.
func (m *machine) settle(people int, rules sequence.Rules, slots []lab.SlotOptions) {
	ctx := m.t.Context()
	organizers, err := lab.People(ctx, m.url, 2, access.Organizer)
	must(m.t, err)
	m.people, err = lab.People(ctx, m.url, people, access.Attendee)
	must(m.t, err)
	m.client = testkit.NewClient(witness{m.service.t, m.t}, m.base).RetryBusy()
	m.organizers = organizers
	options := lab.EventOptions{WaitlistMode: rules.Waitlist, Fit: "strict", MaxPasses: &rules.MaxPasses}
	if rules.FirstFit {
		options.Fit = "first_fit"
	}
	if rules.Limit != sequence.None {
		options.WaitlistLimit = &rules.Limit
	}
	hours := 60
	options.HoldMinutes, options.OfferMinutes = &hours, &hours
	publisher := lab.NewClient(m.base)
	defer publisher.Close()
	made, err := publisher.As(organizers[0]).Publish(ctx, options, slots...)
	must(m.t, err)
	for _, slot := range made {
		m.slots = append(m.slots, slot.ID)
	}
}

func must(t rapid.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(strings.TrimSpace(err.Error()))
	}
}
