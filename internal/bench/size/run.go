//go:build unix

package size

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"eventbooking/internal/postgres"
	"eventbooking/internal/proof/lab"
)

// LeastEvents and MostEvents bound the large database.
const (
	LeastEvents = 4 * MinEvents
	MostEvents  = 10_000_000
)

// Options are the settings of a measurement.
type Options struct {
	// Events are those of the large database, from LeastEvents to MostEvents. The small
	// one has smallEvents.
	Events int
	// Rounds is how often each request is made, from 1 to MostRounds.
	Rounds int
}

// MostRounds is how many have the seats that the long queue waits for.
const MostRounds = 20

// smallEvents is the size that all is compared with.
const smallEvents = 100

// clusterSettings leave durability on. Without replicas, the fill writes less WAL.
var clusterSettings = map[string]string{
	"shared_buffers": "2GB", "max_wal_size": "2GB", "wal_level": "minimal", "max_wal_senders": "0",
	"log_line_prefix": "%e %m [%p] " + databaseMark + "%d ",
}

// Run fills databases in a lab, measures, and writes the tables to out. Steps that take
// long are told to log.
func Run(ctx context.Context, l *lab.Lab, o Options, out, log io.Writer) error {
	cluster, err := l.Cluster(ctx, "size", clusterSettings)
	if err != nil {
		return err
	}
	explain := newExplainer(ctx, cluster)
	if !explain.available {
		say(log, "this PostgreSQL lacks auto_explain (on Debian: the package postgresql): no buffers and no plans")
	}
	m := &measurement{rounds: o.Rounds, lab: l, progress: l.Progress, cluster: cluster, explain: explain, out: out, log: log}
	for i, events := range []int{smallEvents, o.Events / 4, o.Events} {
		if err := m.fill(ctx, []string{"small", "quarter", "large"}[i], events); err != nil {
			return err
		}
	}
	for _, part := range []func(context.Context) error{m.measureDoctor, m.measureReads, m.measureDesk} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measurement is one run.
type measurement struct {
	rounds    int
	progress  func(what string, done, total int)
	lab       *lab.Lab
	cluster   *lab.Cluster
	explain   explainer
	databases []database
	out, log  io.Writer
}

// database is a filled one.
type database struct {
	name, url string
}

func (m *measurement) fill(ctx context.Context, name string, events int) error {
	url, err := m.cluster.Database(ctx, name)
	if err != nil {
		return err
	}
	d := database{name: name, url: url}
	if err := postgres.MigrateUp(ctx, d.url); err != nil {
		return err
	}
	began, last := time.Now(), time.Now()
	step := ""
	err = Fill(ctx, d.url, events, func(next string, done, total int) {
		if step != "" && time.Since(last) > time.Second {
			say(m.log, "%s: %s: %s", name, step, time.Since(last).Round(time.Second))
		}
		step, last = next, time.Now()
		m.progress(name+": "+step, done, total)
	})
	if err != nil {
		return fmt.Errorf("fill %s: %w", name, err)
	}
	m.databases = append(m.databases, d)
	counts, err := d.counts(ctx)
	say(m.log, "%s: filled in %s: %s", name, time.Since(began).Round(time.Second), counts)
	return err
}

// inWorlds calls f with the small and the large database, with processes of the service,
// whose sessions are explained or not.
func (m *measurement) inWorlds(ctx context.Context, workers, explained bool, f func([2]*world) error) error {
	binary, err := m.lab.Binary()
	if err != nil {
		return err
	}
	var worlds [2]*world
	for i, d := range []database{m.databases[0], m.databases[len(m.databases)-1]} {
		w := &world{name: d.name, url: d.url}
		if w.Landmarks, err = Find(ctx, d.url); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		url := d.url
		if explained {
			url = m.explain.url(url)
		}
		service, err := m.lab.Service(ctx, d.name+"-service", binary, url, map[string]string{"WORKERS": strconv.FormatBool(workers)})
		if err != nil {
			return err
		}
		defer func() { _ = service.Stop() }() // the lab's end would stop it, too
		w.client = service.Client()
		defer w.client.Close()
		worlds[i] = w
	}
	return f(worlds)
}

func say(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, "  "+format+"\n", args...) // progress; a lost line is no error
}
