// Command eventbooking is the whole service in one binary: it serves the API,
// works off what happens later, migrates, seeds and examines the database.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // events have time zones, wherever this runs

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// commands are what the program can do. Every flag with an environment variable
// may be given either way; the flag wins.
type commands struct {
	settings

	Serve    serve    `cmd:"" help:"Serve the API, and work off promotions, expiries and jobs. Migrates the database first."`
	Worker   worker   `cmd:"" help:"Work off promotions, expiries and jobs, without serving. For use beside serve --workers=false."`
	Migrate  migrate  `cmd:"" help:"Bring the database's schema up, take it down, or show where it is."`
	Seed     seeding  `cmd:"" help:"Fill the database with users, events and scenarios to try, and print them."`
	Doctor   doctor   `cmd:"" help:"Recompute every promise of the service on the live database; print what differs, or nothing."`
	Simulate simulate `cmd:"" help:"Estimate how other waitlist policies would come out, on a copy of a slot. Changes nothing."`
	Version  version  `cmd:"" help:"Print the version."`
}

const description = `Event booking: seats in the slots of events, with a waitlist that moves by itself.

Examples:
  eventbooking serve --seed-if-empty       start everything, with data to try, on 127.0.0.1:8000
  eventbooking serve --workers=false       only answer requests …
  eventbooking worker                      … and let another process work off the rest
  DATABASE_URL=postgres://… eventbooking serve
  eventbooking migrate status
  eventbooking seed --fresh                throw the data away and seed again
  eventbooking doctor
  eventbooking simulate <slot-id> --rate=0.2

Without DATABASE_URL it runs a PostgreSQL of its own, whose data stays in DATA_DIR.
Exit codes: 0 well, 1 failed (doctor: found something), 2 wrong flags or settings, 130 interrupted twice.`

func main() { os.Exit(run(interruptible(), os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program, but for its end, which comes when ctx ends, or before.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c, kong.Name("eventbooking"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}))
	if err != nil {
		panic(err) // the commands above are wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help has been answered
	}
	if err != nil {
		fmt.Fprintf(stderr, "eventbooking: %v\nSee eventbooking --help.\n", err)
		return exitUsage
	}
	err = chosen.Run(&session{ctx: ctx, settings: c.settings, out: stdout, log: c.logger(stderr)})
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "eventbooking: %v\n", err)
	if errors.Is(err, errUsage) {
		return exitUsage
	}
	return exitFailed
}

// interruptible ends its context at the first Ctrl-C or SIGTERM, and the process
// at the second.
func interruptible() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exitInterrupted)
	}()
	return ctx
}

type version struct{}

func (version) Run(s *session) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this binary does not know its version")
	}
	revision := ""
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			revision = " " + setting.Value
		}
	}
	_, err := fmt.Fprintf(s.out, "eventbooking %s%s %s\n", info.Main.Version, revision, info.GoVersion)
	return err
}
