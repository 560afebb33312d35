//go:build unix

// Command bench measures how fast the service is, in ratios that can be compared between
// machines and builds.
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

	"eventbooking/internal/bench"
	"eventbooking/internal/proof/lab"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// commands are the subcommands.
type commands struct {
	Run    run         `cmd:"" default:"withargs" help:"Measure bookings, reads, a user's day, memory, the start, and what bystanders of a flood notice, in turn with what they are compared with. The default."`
	Size   sizeCommand `cmd:"" help:"Fill a small and a large database, and compare what reads, bookings and the doctor cost on them."`
	Static static      `cmd:"" hidden:"" help:"Serve the files of a directory as JSON behind the service's middleware."`
}

const description = `Measure how fast the service is, against what PostgreSQL and the middleware can do at best on this machine.

It builds the service of this working tree and runs it on a PostgreSQL server of its own (installed, or fetched once),
with durability, tokens and idempotency keys on. It needs Go and PostgreSQL's programs, pgbench among them, and about
2 GB of disk, and leaves nothing behind. bench run --help lists the flags.

Examples:
  go run ./cmd/bench                                 everything; some minutes
  go run ./cmd/bench --only=hot --rounds=9           bookings of one slot
  go run ./cmd/bench size --events=100000            what grows with the database; a million takes up to an hour
  go run ./cmd/bench --compare=/tmp/eventbooking-old this working tree against another build

Exit codes: 0 measured, 1 error, 2 invalid flags.`

func main() { os.Exit(execute(os.Args[1:])) }

func execute(args []string) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("bench"), kong.Description(description), kong.Vars{"parts": strings.Join(bench.Parts(), ", ")},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}))
	if err != nil {
		panic(err) // the tags of commands are invalid
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\nSee bench --help.\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	chosen.BindTo(ctx, (*context.Context)(nil))
	if err := chosen.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		if errors.Is(err, errUsage) {
			return exitUsage
		}
		return exitFailed
	}
	return 0
}

var errUsage = errors.New("invalid flag")

// run are the flags of the measurement.
type run struct {
	Rounds  int           `default:"7" help:"How often each line is measured. With fewer than six the ranges are those of all rounds."`
	Window  time.Duration `default:"3s" help:"How long each time. pgbench measures whole seconds."`
	Only    []string      `placeholder:"PART" help:"Only these parts: ${parts}."`
	Compare string        `placeholder:"BINARY" type:"existingfile" help:"Measure this build and another one in turn, and print the ratios of both."`
	Keep    bool          `help:"Keep the directory with the logs and the databases."`
}

const (
	mostRounds = 50
	mostWindow = 10 * time.Second
)

func (r run) check() error {
	switch {
	case r.Rounds < 1 || r.Rounds > mostRounds:
		return fmt.Errorf("%w: --rounds: %d is not between 1 and %d", errUsage, r.Rounds, mostRounds)
	case r.Window < time.Second || r.Window > mostWindow:
		return fmt.Errorf("%w: --window: %s is not between 1s and %s", errUsage, r.Window, mostWindow)
	}
	for _, part := range r.Only {
		if !slices.Contains(bench.Parts(), part) {
			return fmt.Errorf("%w: --only: there is no %q; there are %s", errUsage, part, strings.Join(bench.Parts(), ", "))
		}
	}
	return nil
}

// Run measures until it is done or ctx ends.
func (r run) Run(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	return inLab(ctx, r.Keep, func(l *lab.Lab) error {
		return bench.Run(ctx, l, bench.Options{Rounds: r.Rounds, Window: r.Window, Only: r.Only, Compare: r.Compare}, os.Stdout)
	})
}

// inLab runs f in a lab, and says afterwards on what machine that was.
func inLab(ctx context.Context, keep bool, f func(*lab.Lab) error) error {
	l, err := lab.Open(ctx, os.Stderr)
	if err != nil {
		return err
	}
	began := time.Now()
	err = f(l)
	if keep {
		fmt.Fprintf(os.Stderr, "logs and databases are in %s\n", l.Dir())
	}
	if err := errors.Join(err, l.Close(keep)); err != nil {
		return err
	}
	fmt.Printf("\nPostgreSQL %d, %s %s/%s, %d cores for load, service and PostgreSQL, limits off (for bystanders only quotas and login delays), %s in all.\n", l.Postgres(), runtime.Version(),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Since(began).Round(time.Second))
	return nil
}
