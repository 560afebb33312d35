//go:build unix

package embedded

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// binaries are the programs of one PostgreSQL.
type binaries struct {
	dir   string
	major int
}

// oldestMajor is the oldest version that the service is tested with.
const oldestMajor = 15

// places are where packages put PostgreSQL without putting it into the PATH.
var places = []string{
	"/usr/lib/postgresql/*/bin",                    // Debian, Ubuntu
	"/usr/pgsql-*/bin",                             // PGDG on Red Hat
	"/usr/libexec/postgresql*",                     // Alpine
	"/usr/local/pgsql/bin",                         // built from source
	"/opt/homebrew/opt/postgresql@*/bin",           // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",              // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgres*/bin", // Homebrew on Linux
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findBinaries looks for an installed PostgreSQL, and fetches one where there is
// none, into a cache beside the default data directory: the server's user can
// enter it, and every data directory shares it.
func findBinaries(ctx context.Context, dataDir string, o Options) (binaries, error) {
	found := installed(ctx, likelyDirs())
	if len(found) == 0 {
		fetched, err := fetchBinaries(ctx, fetchedDir(), o)
		if err != nil {
			return binaries{}, err
		}
		found = append(found, fetched)
	}
	best := choose(found, dataDir)
	if others, _ := filepath.Glob(filepath.Join(dataDir, "postgres-*", "PG_VERSION")); len(others) > 0 && !best.hasData(dataDir) {
		o.Logger.Warn("starting without the data of another PostgreSQL version, which stays untouched; install that version to go on with it",
			"data", filepath.Dir(others[len(others)-1]), "running", best.major)
	}
	return best, nil
}

// fetchedDir is the cache of what is fetched.
func fetchedDir() string { return filepath.Join(DefaultDataDir(), "binaries") }

// choose takes the version whose data is there already, then the newest: an
// upgrade of the machine must not make yesterday's bookings vanish.
func choose(found []binaries, dataDir string) binaries {
	return slices.MaxFunc(found, func(a, b binaries) int {
		switch aHas, bHas := a.hasData(dataDir), b.hasData(dataDir); {
		case aHas && !bHas:
			return 1
		case bHas && !aHas:
			return -1
		}
		return cmp.Compare(a.major, b.major)
	})
}

// dataDir is where the data of this version lives: a server never touches
// another version's.
func (b binaries) dataDir(dir string) string {
	return filepath.Join(dir, "postgres-"+strconv.Itoa(b.major))
}

func (b binaries) hasData(dir string) bool {
	_, err := os.Stat(filepath.Join(b.dataDir(dir), "PG_VERSION"))
	return err == nil
}

// likelyDirs are the directories that may hold a PostgreSQL.
func likelyDirs() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		// The server finds its files beside its real place, not beside a link to it.
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	for _, pattern := range places {
		matches, _ := filepath.Glob(pattern)
		dirs = append(dirs, matches...)
	}
	return dirs
}

func installed(ctx context.Context, dirs []string) []binaries {
	var found []binaries
	for _, dir := range dirs {
		if b, err := inspect(ctx, dir); err == nil && b.major >= oldestMajor {
			found = append(found, b)
		}
	}
	return found
}

// inspect asks the programs in a directory for their version.
func inspect(ctx context.Context, dir string) (binaries, error) {
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return binaries{}, err
	}
	server := filepath.Join(dir, "postgres")
	if isScript(server) {
		// A wrapper's process is not the server's: signals would not reach it.
		return binaries{}, fmt.Errorf("%s is a script", server)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, server, "--version").Output()
	if err != nil {
		return binaries{}, err
	}
	_, version, _ := strings.Cut(string(out), "(PostgreSQL) ")
	digits := version[:len(version)-len(strings.TrimLeft(version, "0123456789"))]
	major, err := strconv.Atoi(digits)
	return binaries{dir: dir, major: major}, err
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
