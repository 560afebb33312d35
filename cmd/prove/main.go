//go:build unix

// Command prove shows that the service keeps its promises, in a way that a
// stranger can repeat: it builds the service of this working tree, runs it on
// PostgreSQL servers of its own, loads, kills and cuts it off, and checks what it
// answered. It ends in one table of promises with their figures.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"eventbooking/internal/proof/lab"
)

type options struct {
	Long   bool     `help:"In full: an hour or more. Otherwise the same promises smaller, in minutes."`
	Only   []string `placeholder:"NAME" help:"Only these lines of the table: ${names}."`
	Seed   uint64   `default:"1" help:"Where randomness begins. What several clients do at once still differs from run to run."`
	Report string   `placeholder:"FILE" help:"Also write the table into a file, as Markdown."`
	Keep   bool     `help:"Keep the directory with the logs and the databases. It stays by itself when a promise was broken."`
}

// Exit codes.
const (
	exitBroken = 1
	exitUsage  = 2
)

func main() { os.Exit(run()) }

func run() int {
	var o options
	parser, err := kong.New(&o, kong.Name("prove"), kong.Vars{"names": strings.Join(names(), ", ")}, kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 110}),
		kong.Description("Show that the service keeps its promises: no oversell, exact queues, nothing lost, one effect per key, "+
			"under races, crashes and bad networks. It needs Go, a PostgreSQL (installed, or fetched once) and about 4 GB of disk, and "+
			"touches nothing but a temporary directory. Exit codes: 0 all kept, 1 broken or not examined, 2 wrong flags."))
	if err != nil {
		panic(err) // the flags above are wrong
	}
	if _, err := parser.Parse(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "prove: %v\nSee prove --help.\n", err)
		return exitUsage
	}
	for _, name := range o.Only {
		if !slices.Contains(names(), name) {
			fmt.Fprintf(os.Stderr, "prove: --only: there is no %q; there are %s\n", name, strings.Join(names(), ", "))
			return exitUsage
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kept, err := prove(ctx, o)
	if err != nil {
		fmt.Fprintf(os.Stderr, "prove: %v\n", err)
	}
	if err != nil || !kept {
		return exitBroken
	}
	return 0
}

// prove runs the parts, one after the other, so that none disturbs another's load.
func prove(ctx context.Context, o options) (kept bool, err error) {
	l, err := lab.Open(ctx, os.Stderr)
	if err != nil {
		return false, err
	}
	var rows []row
	defer func() {
		keep := o.Keep || slices.ContainsFunc(rows, row.failed)
		err = errors.Join(err, l.Close(keep))
		if keep {
			fmt.Fprintf(os.Stderr, "logs and histories are in %s\n", l.Dir())
		}
	}()
	began := time.Now()
	for _, p := range promises {
		if len(o.Only) > 0 && !slices.Contains(o.Only, p.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", p.name, p.promise)
		rows = append(rows, p.examine(ctx, l, o))
		if ctx.Err() != nil {
			break
		}
	}
	l.Progress("", 0, 0)
	machine := fmt.Sprintf("PostgreSQL %d, %s %s/%s, %d cores, rate limits, bounds of callers, quotas and login delays off, %s in all", l.Postgres(), runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), time.Since(began).Round(time.Second))
	fmt.Printf("\n%s\n%s\n", table(rows), machine)
	if o.Report != "" {
		err = os.WriteFile(o.Report, []byte(markdown(rows)+"\n"+machine+".\n"), 0o644)
	}
	return !slices.ContainsFunc(rows, func(r row) bool { return r.err != nil }), errors.Join(err, ctx.Err())
}

// row is a line of the table.
type row struct {
	promise, figure string
	took            time.Duration
	err             error
}

func (r row) broken() bool { return errors.Is(r.err, lab.ErrBroken) }

// failed says that there is something to look into.
func (r row) failed() bool { return r.err != nil && !errors.Is(r.err, context.Canceled) }

func (p promise) examine(ctx context.Context, l *lab.Lab, o options) row {
	began := time.Now()
	figure, err := p.check(ctx, l, o)
	r := row{promise: p.promise, figure: figure, took: time.Since(began), err: err}
	switch {
	case r.broken():
		fmt.Fprintf(os.Stderr, "%s: BROKEN: %v\n", p.name, err)
		r.figure = strings.TrimSpace("BROKEN. " + figure)
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: could not be examined: %v\n", p.name, err)
		r.figure = strings.TrimSpace("not examined. " + figure)
	default:
		fmt.Fprintf(os.Stderr, "%s: %s (%s)\n", p.name, figure, r.took.Round(time.Second))
	}
	return r
}
