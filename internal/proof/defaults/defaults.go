//go:build unix

// Package defaults shows that nothing depends on the defaults of a database: the
// tests of the packages that touch seats, with their races, run against servers
// whose defaults are hostile, on the oldest and the newest PostgreSQL available. The
// service sets what it needs; what it forgot to set fails here.
package defaults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/postgres/embedded"
	"eventbooking/internal/proof/lab"
)

// Options say how much is run. The zero Options are the whole suite on what is
// there already.
type Options struct {
	// Packages of the suite; none means all that touch seats.
	Packages []string
	// Run chooses tests as go test -run does; empty means all of them.
	Run string
	// Long insists on the newest PostgreSQL that the service is meant for, and
	// fetches it where it is not installed.
	Long bool
}

// suite are the packages in which seats change hands in a database, and races are run
// for them. The one that takes longest begins first.
var suite = []string{
	"eventbooking/internal/server", "eventbooking/internal/postgres", "eventbooking/internal/desk", "eventbooking/internal/audit",
	"eventbooking/internal/waitlist", "eventbooking/internal/booking", "eventbooking/internal/event",
}

// Hostile are the defaults: each is one that somebody may have chosen for other
// reasons, and none is what the service wants. Read-only is not among them:
// whoever sets it means that nobody shall write.
var Hostile = map[string]string{
	"default_transaction_isolation":  "serializable",
	"default_transaction_deferrable": "on",
	"synchronous_commit":             "off",
	"timezone":                       "Pacific/Chatham",
	"datestyle":                      "SQL, DMY",
	"intervalstyle":                  "sql_standard",
	"bytea_output":                   "escape",
	"extra_float_digits":             "-15",
	"quote_all_identifiers":          "on",
	"xmloption":                      "document",
}

// Prove runs the suite on each version.
func Prove(ctx context.Context, l *lab.Lab, o Options) (figure string, err error) {
	if len(o.Packages) == 0 {
		o.Packages = suite
	}
	versions, err := find(ctx, l, o)
	if err != nil {
		return "", err
	}
	var names []string
	tests := 0
	for _, programs := range versions {
		name := strconv.Itoa(programs.Major())
		result, err := on(ctx, l, programs, o)
		if err != nil {
			return "", fmt.Errorf("on PostgreSQL %s: %w", name, err)
		}
		names = append(names, name)
		tests += result.passed
	}
	return fmt.Sprintf("race suite on PostgreSQL %s with serializable defaults and synchronous_commit off: %d tests, 0 failures",
		strings.Join(names, " and "), tests), nil
}

// find chooses the oldest and the newest PostgreSQL; in the short form the one
// that the lab has.
func find(ctx context.Context, l *lab.Lab, o Options) ([]embedded.Programs, error) {
	if !o.Long {
		programs, err := embedded.FindPrograms(ctx, l.Dir(), embedded.Options{Logger: slog.New(slog.DiscardHandler)})
		return []embedded.Programs{programs}, err
	}
	l.Progress("finding every PostgreSQL", 0, 1)
	versions, err := embedded.FindVersions(ctx, embedded.Options{Logger: slog.New(slog.DiscardHandler)})
	switch {
	case err != nil:
		return nil, fmt.Errorf("the newest PostgreSQL is not available: %w", err)
	case len(versions) < 2:
		return nil, fmt.Errorf("only PostgreSQL %d is available: install an older one, too", versions[0].Major())
	}
	return []embedded.Programs{versions[0], versions[len(versions)-1]}, nil
}

// on runs the suite on a server of its own.
func on(ctx context.Context, l *lab.Lab, programs embedded.Programs, o Options) (outcome, error) {
	name := "defaults-" + strconv.Itoa(programs.Major())
	settings := map[string]string{"max_connections": "300", "fsync": "off", "full_page_writes": "off"}
	maps.Copy(settings, Hostile)
	cluster, err := l.ClusterOf(ctx, programs, name, settings)
	if err != nil {
		return outcome{}, err
	}
	if err := check(ctx, cluster.URL()); err != nil {
		return outcome{}, err
	}
	report, err := os.Create(filepath.Join(l.Dir(), name+".json"))
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = report.Close() }()
	result, err := test(ctx, cluster.URL(), o, report, func(done int) { l.Progress(name, done, max(done, len(o.Packages))) })
	switch {
	case len(result.failed) > 0:
		return outcome{}, lab.Broken(fmt.Errorf("%d tests failed with hostile defaults (%s), see %s", len(result.failed), strings.Join(result.failed, ", "), report.Name()))
	case err != nil:
		return outcome{}, fmt.Errorf("go test: %w", err)
	case result.passed == 0:
		return outcome{}, errors.New("no test ran")
	}
	return result, cluster.Remove()
}

const (
	// testTimeout bounds a package's tests.
	testTimeout = "20m"
	// endGrace is how long the output of a run that was ended is waited for.
	endGrace = 5 * time.Second
)

// test runs the tests on a database server.
func test(ctx context.Context, url string, o Options, report io.Writer, done func(int)) (outcome, error) {
	args := []string{"test", "-json", "-count=1", "-timeout=" + testTimeout}
	if o.Run != "" {
		args = append(args, "-run", o.Run)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, o.Packages...)...)
	cmd.Env = append(os.Environ(), "TEST_DATABASE_URL="+url)
	// The test binaries end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = endGrace
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return outcome{}, err
	}
	if err := cmd.Start(); err != nil {
		return outcome{}, err
	}
	result, err := read(out, report, done)
	if ended := cmd.Wait(); ended != nil {
		err = errors.Join(err, fmt.Errorf("%w\n%s", ended, said.String()))
	}
	return result, err
}

// check sees that a session really has the hostile defaults.
func check(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for setting, want := range Hostile {
		var got string
		if err := conn.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&got); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s is %q in a new session, want %q", setting, got, want)
		}
	}
	return nil
}
