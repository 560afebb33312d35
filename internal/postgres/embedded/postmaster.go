//go:build unix

package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// postmaster is one running postmaster that this process started.
type postmaster struct {
	process *os.Process
	exited  chan struct{} // closed when it is gone
	said    *serverLog
}

const (
	// shutdownGrace is what a fast shutdown (which writes a checkpoint) may take
	// before it becomes an immediate one, from which the next start recovers.
	shutdownGrace = 10 * time.Second
	// readyPoll is how often a starting server is asked whether it answers.
	readyPoll = 20 * time.Millisecond
	// startTries covers the moment in which the children of a killed postmaster
	// still hold its shared memory, and the new one refuses to start.
	startTries = 4
	startPause = 300 * time.Millisecond
)

// start runs the server. The caller holds the ownership of the cluster, so any
// other server on its data is an orphan of an owner who was killed.
func (c *cluster) start(ctx context.Context) (*postmaster, error) {
	if err := c.endOrphan(ctx); err != nil {
		return nil, err
	}
	if err := c.initialise(ctx); err != nil {
		return nil, err
	}
	var err error
	for range startTries {
		var s *postmaster
		if s, err = c.launch(); err != nil {
			return nil, err
		}
		if err = c.awaitReady(ctx, s); err == nil {
			if err = c.ensureDatabase(ctx); err == nil {
				return s, nil
			}
			s.shutDown()
			return nil, err
		}
		if !pause(ctx, startPause) {
			break
		}
	}
	return nil, err
}

// launch starts the postmaster itself, not pg_ctl, which would leave it to itself.
func (c *cluster) launch() (*postmaster, error) {
	args := []string{"-D", c.data}
	for name, value := range c.settings {
		args = append(args, "-c", name+"="+value)
	}
	s := &postmaster{exited: make(chan struct{}), said: &serverLog{log: c.log}}
	// Its end is ours to order (shutDown), not a context's: that would kill it.
	cmd := c.programs.Command(context.Background(), c.dir, "postgres", args...)
	cmd.Stdout, cmd.Stderr = s.said, s.said
	cmd.WaitDelay = shutdownGrace
	started := make(chan error)
	go func() {
		// The kernel's death signal follows the thread that forked, not the
		// process: this one must live as long as the server.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		release, err := startTied(cmd)
		started <- err
		if err != nil {
			return
		}
		defer close(s.exited)
		_ = cmd.Wait()
		release()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	s.process = cmd.Process
	return s, nil
}

// awaitReady waits until the server answers, and ends it when it never does.
func (c *cluster) awaitReady(ctx context.Context, s *postmaster) error {
	for {
		err := c.answers(ctx, "postgres")
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%s does not start: %s", filepath.Join(c.programs.dir, "postgres"), s.said.last())
		case <-time.After(readyPoll):
		case <-ctx.Done():
			s.shutDown()
			return fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

// shutDown ends the server: clients are disconnected, then everything is on
// disk. Returns when it is gone.
func (s *postmaster) shutDown() {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		_ = s.process.Signal(signal)
		select {
		case <-s.exited:
			return
		case <-time.After(shutdownGrace):
		}
	}
}

// endOrphan ends the server that a killed owner left, if it has not gone yet,
// and takes its traces for what they are.
func (c *cluster) endOrphan(ctx context.Context) error {
	pidFile := filepath.Join(c.data, "postmaster.pid")
	pid, err := postmasterPID(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return c.removeSockets()
	}
	if err != nil {
		return err
	}
	began, asked := time.Now(), syscall.Signal(0)
	for servesFrom(pid, c.data) {
		signal := syscall.SIGINT
		if time.Since(began) > shutdownGrace {
			signal = syscall.SIGQUIT
		}
		if signal != asked {
			asked = signal
			_ = syscall.Kill(pid, signal)
		}
		if !pause(ctx, readyPoll) {
			return fmt.Errorf("an earlier server (process %d) does not end: %w", pid, ctx.Err())
		}
	}
	if err := disown(pidFile); err != nil {
		return err
	}
	return c.removeSockets()
}

func postmasterPID(pidFile string) (int, error) {
	content, err := os.ReadFile(pidFile)
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid, nil
}

// disown makes a dead server's postmaster.pid say our process id. After a
// reboot, and in every restarted container, another process may have the dead
// one's id, and PostgreSQL would refuse to start because of it; its parent's id
// it knows to be no server. Removing the file would also remove the check that
// nobody uses the old shared memory.
func disown(pidFile string) error {
	content, err := os.ReadFile(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it ended in order
	}
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(content), "\n")
	return os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s", os.Getpid(), rest), 0o600)
}

// removeSockets clears what a dead server listened on: the same question of
// process ids, asked by the socket's own lock file.
func (c *cluster) removeSockets() error {
	name := filepath.Join(c.socket, fmt.Sprintf(".s.PGSQL.%d", c.port))
	for _, path := range []string{name, name + ".lock"} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// serverLog passes on what the server says, line by line, and remembers the
// last of it for the error of a start that fails.
type serverLog struct {
	log *slog.Logger

	mu     sync.Mutex
	line   []byte
	recent []string
}

const (
	recentLines = 20
	maxLogLine  = 4096
)

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		rest = after
		l.line = append(l.line, line[:min(len(line), max(0, maxLogLine-len(l.line)))]...)
		if whole {
			l.emit(string(l.line))
			l.line = l.line[:0]
		}
	}
	return len(p), nil
}

func (l *serverLog) emit(line string) {
	if len(l.recent) == recentLines {
		l.recent = l.recent[1:]
	}
	l.recent = append(l.recent, line)
	level := slog.LevelDebug
	// Refusals while it starts and ends are FATAL for PostgreSQL, for us they are normal.
	if strings.HasPrefix(line, "PANIC:") || strings.HasPrefix(line, "WARNING:") ||
		strings.Contains(line, "deadlock detected") {
		level = slog.LevelWarn
	}
	l.log.Log(context.Background(), level, "postgres: "+line)
}

func (l *serverLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.recent, "\n")
}
