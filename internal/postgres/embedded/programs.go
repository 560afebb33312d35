//go:build unix

package embedded

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Programs are the programs of one PostgreSQL version on this machine (postgres,
// initdb, …), with the user to run them as.
type Programs struct {
	dir   string
	major int
	runAs *syscall.Credential // nil: the current user
}

// oldestMajor is the oldest version that the service is tested with.
const oldestMajor = 15

// installDirs are where packages put PostgreSQL without adding it to the PATH.
var installDirs = []string{
	"/usr/lib/postgresql/*/bin",                    // Debian, Ubuntu
	"/usr/pgsql-*/bin",                             // PGDG on Red Hat
	"/usr/libexec/postgresql*",                     // Alpine
	"/usr/local/pgsql/bin",                         // built from source
	"/opt/homebrew/opt/postgresql@*/bin",           // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",              // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgres*/bin", // Homebrew on Linux
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// FindPrograms finds the installed PostgreSQL whose data is in a directory
// already, or else the newest installed one, or fetches one if none is installed.
// Its errors name the ways out: install PostgreSQL, set DATABASE_URL, choose
// another DATA_DIR.
func FindPrograms(ctx context.Context, dataDir string, o Options) (Programs, error) {
	runAs, err := User()
	if err != nil {
		return Programs{}, err
	}
	if err := checkAccess(dataDir, runAs); err != nil {
		return Programs{}, err
	}
	found, err := installedOrFetched(ctx, candidateDirs(), cacheDir(), o)
	if err != nil {
		return Programs{}, err
	}
	best := choose(found, dataDir)
	if others, _ := filepath.Glob(filepath.Join(dataDir, "postgres-*", "PG_VERSION")); len(others) > 0 && !best.hasData(dataDir) {
		o.logger().Warn("starting with an empty database: the existing data is of another PostgreSQL version and stays untouched; install that version to use it",
			"data", filepath.Dir(others[len(others)-1]), "running", best.major)
	}
	best.runAs = runAs
	return best, nil
}

// FindVersions finds every PostgreSQL that is installed here, the oldest first,
// and the version that FindPrograms would fetch, which it fetches if need be. If
// that fails, it returns the installed ones together with the error.
func FindVersions(ctx context.Context, o Options) ([]Programs, error) {
	runAs, err := User()
	if err != nil {
		return nil, err
	}
	found := installed(ctx, candidateDirs())
	newest, err := fetchPrograms(ctx, cacheDir(), o)
	if err == nil {
		found = append(found, newest)
	}
	slices.SortFunc(found, func(a, b Programs) int { return cmp.Compare(a.major, b.major) })
	found = slices.CompactFunc(found, func(a, b Programs) bool { return a.major == b.major })
	for i := range found {
		found[i].runAs = runAs
	}
	return found, err
}

// Major is PostgreSQL's major version, such as 15.
func (p Programs) Major() int { return p.major }

// Command is a command that runs one of the programs as the server's user, in a
// directory that this user can enter. It does not inherit what our environment
// says to PostgreSQL programs (PGPORT, PGDATA, …).
func (p Programs) Command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, program), args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.credential(), Setpgid: true}
	return cmd
}

// Initialise runs initdb to make a data directory, with a superuser of this name and the
// locale of the service. The error contains initdb's output.
func (p Programs) Initialise(ctx context.Context, data, superuser string, initdbArgs ...string) error {
	if err := p.makePrivate(data); err != nil {
		return err
	}
	args := append([]string{"-D", data, "-U", superuser, "--encoding=UTF8"}, p.localeArgs()...)
	if out, err := p.Command(ctx, filepath.Dir(data), "initdb", append(args, initdbArgs...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// makePrivate makes a directory that only the server's user may enter. A
// directory that exists is left as it is.
func (p Programs) makePrivate(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil || p.credential() == nil {
		return err
	}
	return os.Chown(dir, int(p.runAs.Uid), int(p.runAs.Gid))
}

// installedOrFetched finds the programs that are installed in dirs, or fetches
// them into cache if there are none.
func installedOrFetched(ctx context.Context, dirs []string, cache string, o Options) ([]Programs, error) {
	if found := installed(ctx, dirs); len(found) > 0 {
		return found, nil
	}
	fetched, err := fetchPrograms(ctx, cache, o)
	if err != nil {
		return nil, fmt.Errorf("no PostgreSQL %d or newer is installed, and fetching one failed (%w): "+
			"install PostgreSQL, or set DATABASE_URL, or run docker compose up", oldestMajor, err)
	}
	return []Programs{fetched}, nil
}

// choose prefers the version that has data in dataDir, then the newest: when the
// machine gets a newer PostgreSQL, yesterday's bookings must still be there.
func choose(found []Programs, dataDir string) Programs {
	return slices.MaxFunc(found, func(a, b Programs) int {
		switch aHas, bHas := a.hasData(dataDir), b.hasData(dataDir); {
		case aHas && !bHas:
			return 1
		case bHas && !aHas:
			return -1
		}
		return cmp.Compare(a.major, b.major)
	})
}

// dataDir is where this version's data lives. A server never touches the data of
// another version.
func (p Programs) dataDir(dir string) string {
	return filepath.Join(dir, "postgres-"+strconv.Itoa(p.major))
}

func (p Programs) hasData(dir string) bool {
	_, err := os.Stat(filepath.Join(p.dataDir(dir), "PG_VERSION"))
	return err == nil
}

// localeArgs make text sort by code point, and letters beyond ASCII have upper
// and lower case, on every machine: what a search finds must not depend on where
// the service runs.
func (p Programs) localeArgs() []string {
	switch {
	case p.major >= 17:
		return []string{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"}
	case runtime.GOOS == "darwin":
		return []string{"--locale=C", "--lc-ctype=UTF-8"}
	default:
		return []string{"--locale=C", "--lc-ctype=C.UTF-8"}
	}
}

// candidateDirs are the directories that may hold a PostgreSQL.
func candidateDirs() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		// The server finds its files beside its real path, not beside a link to it.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	for _, pattern := range installDirs {
		matches, _ := filepath.Glob(pattern)
		dirs = append(dirs, matches...)
	}
	return dirs
}

func installed(ctx context.Context, dirs []string) []Programs {
	var found []Programs
	for _, dir := range dirs {
		if p, err := inspect(ctx, dir); err == nil && p.major >= oldestMajor {
			found = append(found, p)
		}
	}
	return found
}

// inspect asks the programs in a directory for their version.
func inspect(ctx context.Context, dir string) (Programs, error) {
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return Programs{}, err
	}
	server := filepath.Join(dir, "postgres")
	if isScript(server) {
		// A wrapper's process is not the server's: signals would not reach it.
		return Programs{}, fmt.Errorf("%s is a script", server)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, server, "--version").Output()
	if err != nil {
		return Programs{}, err
	}
	_, version, _ := strings.Cut(string(out), "(PostgreSQL) ")
	digits := version[:len(version)-len(strings.TrimLeft(version, "0123456789"))]
	major, err := strconv.Atoi(digits)
	return Programs{dir: dir, major: major}, err
}

func isScript(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	start := make([]byte, 2)
	_, err = io.ReadFull(f, start)
	return err == nil && bytes.Equal(start, []byte("#!"))
}
