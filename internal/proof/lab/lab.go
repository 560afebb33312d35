//go:build unix

// Package lab is where the service is put to the test as a stranger would: whole
// processes of it, on PostgreSQL servers of the lab's own, asked over HTTP,
// killed when it suits the experiment, and timed by one clock. It knows nothing
// of how the service works inside.
package lab

import (
	"context"
	"errors"
	"eventbooking/internal/postgres/embedded"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Lab is a directory with everything that an experiment leaves behind: binaries,
// databases, logs. Its processes end with it.
type Lab struct {
	dir      string
	programs embedded.Programs
	progress *progress
	binary   func() (string, error)

	mu      sync.Mutex
	closers []func()
}

// Open makes a lab in a new directory. What takes long tells its progress on out.
func Open(ctx context.Context, out io.Writer) (*Lab, error) {
	dir, err := os.MkdirTemp("", "evb-proof-") // short: a socket's path is bounded
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL's user must come in
		return nil, err
	}
	programs, err := embedded.FindPrograms(ctx, dir, embedded.Options{Logger: slog.New(slog.NewTextHandler(out, nil))})
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL for the lab: %w", err)
	}
	l := &Lab{dir: dir, programs: programs, progress: newProgress(out)}
	l.binary = sync.OnceValues(func() (string, error) { return l.Build(ctx, "eventbooking") })
	return l, nil
}

// Room is the same lab with a directory of its own for what runs beside others. It
// closes with the lab.
func (l *Lab) Room(name string) (*Lab, error) {
	room := &Lab{dir: filepath.Join(l.dir, name), programs: l.programs, progress: l.progress, binary: l.binary}
	if err := errors.Join(os.Mkdir(room.dir, 0o755), os.Chmod(room.dir, 0o755)); err != nil { // as for Open
		return nil, err
	}
	l.onClose(func() { _ = room.Close(true) })
	return room, nil
}

// Close ends every process of the lab. The directory stays if keep says so: it
// holds the logs of what went wrong.
func (l *Lab) Close(keep bool) error {
	l.progress.clear()
	l.mu.Lock()
	closers := l.closers
	l.closers = nil
	l.mu.Unlock()
	for i := len(closers) - 1; i >= 0; i-- {
		closers[i]()
	}
	if keep {
		return nil
	}
	return os.RemoveAll(l.dir)
}

// Dir is the lab's directory.
func (l *Lab) Dir() string { return l.dir }

// Postgres is the major version of the PostgreSQL that clusters run on.
func (l *Lab) Postgres() int { return l.programs.Major() }

// Progress tells how far something is. It may be called as often as one likes.
func (l *Lab) Progress(what string, done, total int) { l.progress.tell(what, done, total) }

func (l *Lab) onClose(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closers = append(l.closers, f)
}

// Binary is the service of this working tree, compiled once.
func (l *Lab) Binary() (string, error) { return l.binary() }

// Build compiles the service of this working tree, with more flags of go build,
// and returns the path of the binary. The working directory must be in the module.
func (l *Lab) Build(ctx context.Context, name string, flags ...string) (string, error) {
	path := filepath.Join(l.dir, name)
	args := append([]string{"build", "-o", path}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "eventbooking/cmd/eventbooking")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", name, err, out)
	}
	return path, nil
}

// Root is the directory of our module, which the working directory must be in.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// process is a program that runs until it is told to end. Its output goes to a
// file.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

// endGrace is how long an end in order may take before it is forced.
const endGrace = 30 * time.Second

func launch(cmd *exec.Cmd, log string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	tie(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		defer close(p.exited)
		_ = cmd.Wait()
	}()
	return p, nil
}

// signal sends a signal and waits for the end.
func (p *process) signal(s syscall.Signal) error {
	_ = p.cmd.Process.Signal(s) // it may be gone already
	select {
	case <-p.exited:
		return nil
	case <-time.After(endGrace):
		_ = p.cmd.Process.Kill()
		<-p.exited
		return fmt.Errorf("%s did not end within %s of signal %s", filepath.Base(p.cmd.Path), endGrace, s)
	}
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Await asks until something holds, and gives up with its last error.
func Await(ctx context.Context, within time.Duration, holds func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := holds(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", within, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Pause waits, by chance and not for something.
func Pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
