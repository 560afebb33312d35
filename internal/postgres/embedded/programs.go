//go:build unix

package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
)

// Programs are PostgreSQL's own on this machine, with the user who may run them:
// PostgreSQL refuses to run as root.
type Programs struct {
	binaries
	runAs *syscall.Credential // nil: as ourselves
}

// FindPrograms finds the PostgreSQL whose data is in a directory already, or the
// newest that is installed, or fetches one where there is none.
func FindPrograms(ctx context.Context, dataDir string, o Options) (Programs, error) {
	runAs, err := serverUser()
	if err != nil {
		return Programs{}, err
	}
	if err := reachable(dataDir, runAs); err != nil {
		return Programs{}, err
	}
	found, err := findBinaries(ctx, dataDir, o)
	return Programs{binaries: found, runAs: runAs}, err
}

// FindVersions finds every PostgreSQL that is installed here, the oldest first,
// and the one that would be fetched where there is none, which it fetches if need
// be. An error says that this one could not be had; the others are found.
func FindVersions(ctx context.Context, o Options) ([]Programs, error) {
	runAs, err := serverUser()
	if err != nil {
		return nil, err
	}
	found := installed(ctx, likelyDirs())
	newest, err := fetched(ctx, fetchedDir(), o)
	if err == nil {
		found = append(found, newest)
	}
	slices.SortFunc(found, func(a, b binaries) int { return cmp.Compare(a.major, b.major) })
	found = slices.CompactFunc(found, func(a, b binaries) bool { return a.major == b.major })
	versions := make([]Programs, len(found))
	for i, b := range found {
		versions[i] = Programs{binaries: b, runAs: runAs}
	}
	return versions, err
}

// Major is PostgreSQL's major version.
func (p Programs) Major() int { return p.major }

// Command runs one of the programs as the server's user, in a directory that
// this user can enter, and without what our own environment says to PostgreSQL
// programs (PGPORT, PGDATA, …).
func (p Programs) Command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, program), args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.runAs, Setpgid: true}
	return cmd
}

// Initialise makes a data directory whose superuser is ours, with the locale
// that the service runs with. More arguments are initdb's.
func (p Programs) Initialise(ctx context.Context, data string, more ...string) error {
	if err := p.MakePrivate(data); err != nil {
		return err
	}
	args := append([]string{"-D", data, "-U", databaseUser, "--encoding=UTF8"}, p.localeArgs()...)
	if out, err := p.Command(ctx, filepath.Dir(data), "initdb", append(args, more...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// MakePrivate makes a directory for the server's user alone; one that is there
// stays as it is.
func (p Programs) MakePrivate(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil || p.runAs == nil {
		return err
	}
	return os.Chown(dir, int(p.runAs.Uid), int(p.runAs.Gid))
}

func (p Programs) uid() uint32 {
	if p.runAs == nil {
		return uint32(os.Geteuid())
	}
	return p.runAs.Uid
}

// serverUser is who runs PostgreSQL when we are root.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errUID == nil && errGID == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody to run it as")
}

// reachable tells early, and in words, that the server's user cannot come to dir.
func reachable(dir string, as *syscall.Credential) error {
	if as == nil {
		return nil
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		owner := info.Sys().(*syscall.Stat_t)
		mode := info.Mode().Perm()
		open := mode&0o001 != 0 || owner.Uid == as.Uid && mode&0o100 != 0 || owner.Gid == as.Gid && mode&0o010 != 0
		if !open {
			return fmt.Errorf("PostgreSQL runs as user %d here, who may not enter %s: choose another DATA_DIR", as.Uid, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// localeArgs sort by code point and know every letter's case, the same on every
// machine: what a search finds must not depend on where it runs.
func (b binaries) localeArgs() []string {
	switch {
	case b.major >= 17:
		return []string{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"}
	case runtime.GOOS == "darwin":
		return []string{"--locale=C", "--lc-ctype=UTF-8"}
	default:
		return []string{"--locale=C", "--lc-ctype=C.UTF-8"}
	}
}
