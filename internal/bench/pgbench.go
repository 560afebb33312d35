//go:build unix

package bench

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"eventbooking/internal/postgres"
	"eventbooking/internal/proof/lab"
)

// script is what pgbench runs again and again: PostgreSQL's own measure of what a
// transaction costs.
type script struct{ name, text string }

//go:embed pgbench/prepare.sql
var prepareSQL string

//go:embed pgbench/book.sql
var bookSQL string

var (
	// hotScript is the usual transaction on one slot, by one user after the other. The
	// variables n (counted by each client), clients, slot and past come from measure.
	hotScript = script{"hot", fmt.Sprintf(`\set n :n + 1
\set user (:n * :clients + :client_id) %% %d
%s`, leastPeople, bookSQL)}
	// spreadScript is the same on all slots in turn, by the users of target.spreadUser. past
	// is how often each slot was booked in earlier measurements, at most.
	spreadScript = script{"spread", fmt.Sprintf(`\set n :n + 1
\set g :n * :clients + :client_id
\set slot :g %% %d
\set user ((:g / %d + :past) * %d + :slot) %% %d
%s`, spreadSlots, spreadSlots, spreadSlots+1, leastPeople, bookSQL)}
	// commitScript is the least that a transaction can be: what COMMIT alone allows.
	commitScript = script{"commit", "INSERT INTO commits (client, n) VALUES (:client_id, 1);\n"}
)

// pgbench is a database of its own in the bench's server, with the service's schema, on
// which PostgreSQL's program of that name runs.
type pgbench struct {
	lab     *lab.Lab
	cluster *lab.Cluster
	// measured counts the measurements of each script, so that none books what an earlier
	// one has booked.
	measured map[string]int
}

// bookedAtMost bounds how often each slot is booked in a measurement of spreadScript.
const bookedAtMost = 200

// pgbench prepares the database, once. It is nil, with a word to the user, where
// PostgreSQL was installed without the program.
func (b *bench) pgbench(ctx context.Context) (*pgbench, error) {
	if b.reference != nil {
		return b.reference, nil
	}
	if err := b.cluster.Command(ctx, "pgbench", "--version").Run(); errors.Is(err, fs.ErrNotExist) {
		_, err := fmt.Fprintln(b.out, "\npgbench is not installed with this PostgreSQL, so that bookings are compared with nothing.")
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("pgbench: %w", err)
	}
	url, err := b.cluster.Database(ctx, "pgbench")
	if err != nil {
		return nil, err
	}
	if err := postgres.MigrateUp(ctx, url); err != nil {
		return nil, err
	}
	p := &pgbench{lab: b.lab, cluster: b.cluster, measured: map[string]int{}}
	for _, s := range []script{hotScript, spreadScript, commitScript} {
		if err := os.WriteFile(p.path(s), []byte(s.text), 0o644); err != nil { // PostgreSQL's user reads it
			return nil, err
		}
	}
	b.reference = p
	return p, b.cluster.ExecIn(ctx, "pgbench", prepareSQL)
}

func (p *pgbench) path(s script) string { return filepath.Join(p.lab.Dir(), s.name+".pgbench") }

// clients is the number of pgbench's connections. With more, on a few cores, PostgreSQL
// loses more to changing between its processes than it gains.
const clients = 64

// measure runs a script.
func (p *pgbench) measure(s script) measure {
	return func(ctx context.Context, window time.Duration) (Sample, error) {
		earlier := p.measured[s.name]
		p.measured[s.name]++
		// The first second is left out: that is where the connections are made.
		seconds := int(window.Round(time.Second).Seconds()) + 1
		host, port, _ := strings.Cut(p.cluster.Addr(), ":")
		cmd := p.cluster.Command(ctx, "pgbench", "--no-vacuum", "--protocol=prepared", "--progress=1",
			"--host="+host, "--port="+port, "--username=eventbooking", "--file="+p.path(s),
			"--client="+strconv.Itoa(clients), "--jobs=2", "--time="+strconv.Itoa(max(seconds, 2)),
			"--define=n=-1", "--define=clients="+strconv.Itoa(clients), "--define=slot="+strconv.Itoa(spreadSlots+earlier), "--define=past="+strconv.Itoa(earlier*bookedAtMost), "pgbench")
		return observe(cmd, cpuTimes{postmaster: p.cluster.PID()})
	}
}

// progressLine is what pgbench says every second: since when, and how many transactions
// a second in this second.
var progressLine = regexp.MustCompile(`^progress: ([0-9.]+) s, ([0-9.]+) tps, lat ([0-9.]+) ms`)

// observe runs pgbench and counts between its first line of progress and its last.
func observe(cmd *exec.Cmd, cpu cpuTimes) (sample Sample, err error) {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return sample, err
	}
	if err := cmd.Start(); err != nil {
		return sample, err
	}
	var said []string
	var began, ended, requests float64
	var before, after time.Duration
	lines := bufio.NewScanner(stderr)
	for seen := 0; lines.Scan(); {
		said = append(said, lines.Text())
		found := progressLine.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		at, _ := strconv.ParseFloat(found[1], 64)
		rate, _ := strconv.ParseFloat(found[2], 64)
		_, after = cpu.read()
		if seen++; seen == 1 {
			began, before = at, after
		} else {
			requests += rate * (at - ended)
		}
		ended = at
	}
	if err := cmd.Wait(); err != nil {
		return sample, fmt.Errorf("pgbench: %w\n%s", err, strings.Join(said[max(0, len(said)-20):], "\n"))
	}
	if ended == began || requests < 1 {
		return sample, fmt.Errorf("pgbench did no transaction within %.1f s", ended)
	}
	return Sample{Requests: int(requests), Elapsed: time.Duration((ended - began) * float64(time.Second)),
		Service: unknown, Postgres: difference(after, before)}, nil
}
