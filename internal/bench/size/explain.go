//go:build unix

package size

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"eventbooking/internal/proof/lab"
)

// explainer lets PostgreSQL explain what it runs into its log (auto_explain), and reads
// it from there: the service's own statements, as it sent them, with the plans that they
// had. Where PostgreSQL lacks the module, there are none.
type explainer struct {
	available bool
	log       string
}

// explainSettings let all statements of a session be explained.
var explainSettings = []string{
	"session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0", "auto_explain.log_analyze=on",
	"auto_explain.log_buffers=on", "auto_explain.log_timing=off",
}

const (
	// databaseMark is before the name of the database in each entry of the log: see
	// clusterSettings.
	databaseMark = "db="
	// written is more than it takes until the log has what was run.
	written = 10 * time.Millisecond
)

func newExplainer(ctx context.Context, c *lab.Cluster) explainer {
	// It may be in a package that is not installed.
	return explainer{available: c.Exec(ctx, "LOAD 'auto_explain'") == nil, log: c.Log()}
}

// url is the address of a database whose sessions are explained.
func (e explainer) url(database string) string {
	options := url.QueryEscape("-c " + strings.Join(explainSettings, " -c "))
	return database + "&options=" + strings.ReplaceAll(options, "+", "%20") // as libpq reads it
}

// statement is one that was run: its name in db/queries, how long it took, how many
// blocks it read, and its plan.
type statement struct {
	database, name string
	took           time.Duration
	buffers        int
	plan           string
}

// of returns the statements of explained sessions that run while f runs.
func (e explainer) of(ctx context.Context, f func() error) ([]statement, error) {
	info, err := os.Stat(e.log)
	if err != nil {
		return nil, err
	}
	if err := f(); err != nil {
		return nil, err
	}
	lab.Pause(ctx, written)
	return e.since(info.Size())
}

// since reads the statements in the log from a place on.
func (e explainer) since(began int64) ([]statement, error) {
	file, err := os.Open(e.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(began, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxLog))
	return parse(text), err
}

// maxLog bounds what is read of the log at once.
const maxLog = 1 << 28

var (
	entryHead   = regexp.MustCompile(databaseMark + `(\S+) LOG:  duration: ([0-9.]+) ms  plan:\n`)
	entryName   = regexp.MustCompile(`-- name: (\w+)`)
	planBuffers = regexp.MustCompile(`Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?`)
	planStart   = regexp.MustCompile(`(?m)^\t\S.*\(cost=`)
)

// parse finds the service's statements in a part of the log. The lines of an entry
// after the first one begin with a tab.
func parse(text []byte) (all []statement) {
	for _, at := range entryHead.FindAllSubmatchIndex(text, -1) {
		body := text[at[1]:]
		end := 0
		for end < len(body) && body[end] == '\t' {
			line := bytes.IndexByte(body[end:], '\n')
			if line < 0 {
				end = len(body)
				break
			}
			end += line + 1
		}
		body = body[:end]
		name, plan := entryName.FindSubmatch(body), planStart.FindIndex(body)
		if name == nil || plan == nil {
			continue
		}
		ms, _ := strconv.ParseFloat(string(text[at[4]:at[5]]), 64) // digits, by the pattern
		s := statement{database: string(text[at[2]:at[3]]), name: string(name[1]), took: time.Duration(ms * float64(time.Millisecond)),
			plan: strings.TrimSpace(strings.ReplaceAll(string(body[plan[0]:]), "\n\t", "\n  "))}
		if blocks := planBuffers.FindStringSubmatch(s.plan); blocks != nil { // of the topmost node, with all below it
			hit, _ := strconv.Atoi(blocks[1])
			read, _ := strconv.Atoi(blocks[2])
			s.buffers = hit + read
		}
		all = append(all, s)
	}
	return all
}

// cost is what all statements of one request, or all runs of one statement, took.
type cost struct {
	calls   int
	took    time.Duration
	buffers int
	// worst is the statement that read the most.
	worst statement
}

func (c *cost) add(s statement) {
	if c.calls == 0 || s.buffers > c.worst.buffers {
		c.worst = s
	}
	c.calls, c.took, c.buffers = c.calls+1, c.took+s.took, c.buffers+s.buffers
}

// perCall are the means.
func (c cost) perCall() (ms, buffers float64) {
	n := float64(max(c.calls, 1))
	return c.took.Seconds() * 1000 / n, float64(c.buffers) / n
}

// sum adds up the statements of a database.
func sum(all []statement, database string) (c cost) {
	for _, s := range all {
		if s.database == database {
			c.add(s)
		}
	}
	return c
}

// byName sums up the statements of a database.
func byName(all []statement, database string) map[string]cost {
	costs := map[string]cost{}
	for _, s := range all {
		if s.database == database {
			c := costs[s.name]
			c.add(s)
			costs[s.name] = c
		}
	}
	return costs
}

// maxPlan is how many lines of a plan are printed.
const maxPlan = 60

func (s statement) String() string {
	lines := strings.Split(s.plan, "\n")
	if more := len(lines) - maxPlan; more > 0 {
		lines = append(lines[:maxPlan], fmt.Sprintf("  … and %d lines more", more))
	}
	return fmt.Sprintf("%s, %.2f ms, %d blocks\n  %s", s.name, s.took.Seconds()*1000, s.buffers, strings.Join(lines, "\n"))
}
