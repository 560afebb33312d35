//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postmaster is the main process of a running server that this process started.
type postmaster struct {
	process *os.Process
	exited  chan struct{} // closed when it is gone
	log     *serverLog
}

const (
	// shutdownGrace is how long a fast shutdown (which writes a checkpoint) may
	// take before it becomes an immediate one, after which the next start recovers.
	shutdownGrace = 10 * time.Second
	// readyInterval is how often a starting server is asked whether it answers.
	readyInterval = 20 * time.Millisecond
	// startTries covers the moment in which the children of a killed postmaster
	// still hold its shared memory, and the new one refuses to start.
	startTries = 4
	startPause = 300 * time.Millisecond
)

// start runs the server. The caller owns the cluster, so any other server on its
// data is the orphan of an owner who was killed.
func (c *cluster) start(ctx context.Context) (*postmaster, error) {
	if err := c.stopOrphan(ctx); err != nil {
		return nil, err
	}
	if err := c.initialise(ctx); err != nil {
		return nil, err
	}
	var err error
	for range startTries {
		var p *postmaster
		if p, err = c.launch(); err != nil {
			return nil, err
		}
		if err = c.awaitReady(ctx, p); err == nil {
			if err = c.prepare(ctx); err == nil {
				return p, nil
			}
			p.shutDown()
			return nil, err
		}
		if !pause(ctx, startPause) {
			break
		}
	}
	return nil, err
}

// launch starts the postmaster itself. pg_ctl would detach it from this process.
func (c *cluster) launch() (*postmaster, error) {
	args := []string{"-D", c.data}
	for name, value := range c.settings {
		args = append(args, "-c", name+"="+value)
	}
	p := &postmaster{exited: make(chan struct{}), log: &serverLog{log: c.log}}
	// No context: its end would kill the server instead of shutting it down.
	cmd := c.programs.Command(context.Background(), c.dir, "postgres", args...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.WaitDelay = shutdownGrace
	started := make(chan error)
	go func() {
		// The kernel's death signal follows the thread that forked, not the
		// process: this thread must live as long as the server.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		release, err := startDependent(cmd)
		started <- err
		if err != nil {
			return
		}
		defer close(p.exited)
		_ = cmd.Wait()
		release()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.process = cmd.Process
	return p, nil
}

// awaitReady waits until the server answers. If it does not before ctx ends, it
// is shut down.
func (c *cluster) awaitReady(ctx context.Context, p *postmaster) error {
	for {
		err := c.ping(ctx, superuser, "postgres")
		if err == nil || isNoSuchRole(err) { // one of an earlier version, which answers
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s does not start: %s", filepath.Join(c.programs.dir, "postgres"), p.log.last())
		case <-time.After(readyInterval):
		case <-ctx.Done():
			p.shutDown()
			return fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

// shutDown disconnects all clients, writes everything to disk, and returns when
// the server is gone. It becomes less gentle every shutdownGrace.
func (p *postmaster) shutDown() {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		_ = p.process.Signal(signal)
		select {
		case <-p.exited:
			return
		case <-time.After(shutdownGrace):
		}
	}
}

// stopOrphan stops the server that a killed owner left, if it still runs, and
// clears what would keep the next one from starting.
func (c *cluster) stopOrphan(ctx context.Context) error {
	pidFile := filepath.Join(c.data, "postmaster.pid")
	pid, err := readPID(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return c.removeSockets()
	}
	if err != nil {
		return err
	}
	began, sent := time.Now(), syscall.Signal(0)
	for isPostmaster(pid, c.data) {
		signal := syscall.SIGINT
		if time.Since(began) > shutdownGrace {
			signal = syscall.SIGQUIT
		}
		if signal != sent {
			sent = signal
			_ = syscall.Kill(pid, signal)
		}
		if !pause(ctx, readyInterval) {
			return fmt.Errorf("an earlier server (process %d) does not end: %w", pid, ctx.Err())
		}
	}
	if err := replacePID(pidFile); err != nil {
		return err
	}
	return c.removeSockets()
}

func readPID(pidFile string) (int, error) {
	content, err := os.ReadFile(pidFile)
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid, nil
}

// replacePID writes our process id over a dead server's in postmaster.pid. After
// a reboot, and in every restarted container, another process may have the dead
// server's id, and PostgreSQL would refuse to start because of it; it ignores the
// id of its own parent. Removing the file instead would also remove the check
// that no process uses the old shared memory.
func replacePID(pidFile string) error {
	content, err := os.ReadFile(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the server removed it when it shut down
	}
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(content), "\n")
	return os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n%s", os.Getpid(), rest), 0o600)
}

// removeSockets removes a dead server's socket and its lock file, which holds a
// process id as well.
func (c *cluster) removeSockets() error {
	name := filepath.Join(c.socket, fmt.Sprintf(".s.PGSQL.%d", c.port))
	for _, path := range []string{name, name + ".lock"} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
