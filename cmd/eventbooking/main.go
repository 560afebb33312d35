// Command eventbooking is the whole service in one binary: it serves the API, runs
// its workers, and migrates, seeds and checks the database.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // events have time zones, and the system may have no data about them

	"github.com/alecthomas/kong"

	"eventbooking/internal/server"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// commands are the subcommands. A flag overrides its environment variable.
type commands struct {
	settings

	Serve    serve    `cmd:"" help:"Serve the API and run the workers. Migrates the database first."`
	Worker   worker   `cmd:"" help:"Run only the workers: promotions, expiries and jobs. Use it with serve --workers=false."`
	Migrate  migrate  `cmd:"" help:"Migrate the database schema up or down, or show its version."`
	Admin    admin    `cmd:"" help:"Create an administrator."`
	User     user     `cmd:"" help:"Change the role of a user."`
	Seed     seeding  `cmd:"" help:"Fill the database with sample data, and print what to try with it."`
	Doctor   doctor   `cmd:"" help:"Check every invariant of the service on the live database, and print the violations."`
	Simulate simulate `cmd:"" help:"Estimate how each waitlist policy would work out for a slot. Changes nothing."`
	Version  version  `cmd:"" help:"Print the version."`

	PrintVersion kong.VersionFlag `name:"version" help:"Print the version."`
}

const description = `Event booking API: book seats in event slots, with an automatic waitlist.

Examples:
  eventbooking serve --seed-if-empty       serve on 127.0.0.1:8000, with sample data
  eventbooking serve --workers=false       serve without the workers
  eventbooking worker                      run only the workers
  DATABASE_URL=postgres://… eventbooking serve
  eventbooking migrate status
  eventbooking admin create me@example.com the first administrator; asks for the password
  eventbooking user role you@example.com organizer
  eventbooking seed --fresh                delete all data and seed again
  eventbooking doctor
  eventbooking simulate <slot-id> --rate=0.2

Without DATABASE_URL it runs its own PostgreSQL, with the data in DATA_DIR.
An empty variable counts as unset.
Exit codes: 0 success, 1 error (doctor: violations found; migrate status: migrations missing), 2 invalid flags or settings, 130 interrupted.`

func main() { os.Exit(run(interruptible(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run runs a command until it is done or ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c, kong.Name("eventbooking"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Vars{"version": versionText(), "rates": server.DefaultRateLimits().String(), "quotas": server.DefaultQuotas().String()}, kong.Exit(func(code int) { exited = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}))
	if err != nil {
		panic(err) // the tags of commands are invalid
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	chosen, err := parse(parser, args)
	if exited >= 0 {
		return exited // --help or --version was printed
	}
	if err != nil {
		fmt.Fprintf(stderr, "eventbooking: %v\nSee eventbooking --help.\n", err)
		return exitUsage
	}
	err = chosen.Run(&session{ctx: ctx, settings: c.settings, in: stdin, out: stdout, errOut: stderr, log: c.logger(stderr)})
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "eventbooking: %s\n", strings.Join(causes(err), "\n"))
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailed
}

// interruptible returns a context that ends at the first Ctrl-C or SIGTERM. The
// second one exits the process.
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

// causes are the lines of an error, each once: pgx tries an address several times,
// and repeats what is wrong with it.
func causes(err error) []string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 2 && strings.HasSuffix(lines[0], ":") {
		return []string{lines[0] + " " + lines[1]}
	}
	return lines
}

type version struct{}

func (version) Run(s *session) error {
	_, err := fmt.Fprintln(s.out, versionText())
	return err
}

func versionText() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "eventbooking, built without its version"
	}
	revision := ""
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			revision = " " + setting.Value
		}
	}
	return fmt.Sprintf("eventbooking %s%s %s", info.Main.Version, revision, info.GoVersion)
}
