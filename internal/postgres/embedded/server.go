//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Embedded is the PostgreSQL that runs when nobody gave a DATABASE_URL: a real
// server on a Unix socket, whose data stays between runs.
//
// Several processes may hold an Embedded of one data directory. One of them owns
// the server, by a lock that the kernel takes back when the owner dies; the
// others are guests, who keep trying that lock and start the server again when
// they get it. Whoever uses the URL only sees its connections break and come back.
type Server struct {
	cluster *cluster
	log     *slog.Logger
	lock    *os.File
	stop    context.CancelFunc
	stopped chan struct{}
}

// Options tell where the data lives and how the server runs.
type Options struct {
	// DataDir holds the data, one directory per major version; empty means DefaultDataDir.
	DataDir string
	// Settings are settings of the server beside and above our own, such as max_connections.
	Settings map[string]string
	// Logger is told what the server says; nil means slog.Default.
	Logger *slog.Logger
	// BinariesURL is the Maven repository to fetch PostgreSQL from where none is
	// installed; empty means the public one.
	BinariesURL string
}

const (
	// startLimit bounds a start: initdb, or the recovery after a crash.
	startLimit = 60 * time.Second
	// ownershipPoll is how often a guest tries to become the owner. flock has no
	// waiting with a deadline, and a tenth of a second is well below what a pool
	// notices.
	ownershipPoll = 100 * time.Millisecond
	// restartPause keeps a server that cannot start from being started in a tight loop.
	restartPause = time.Second
)

// Start starts the server of a data directory, or joins the one that
// another process runs there, and returns when it answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	cluster, err := newCluster(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("embedded PostgreSQL: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	lock, err := os.OpenFile(filepath.Join(cluster.dir, "owner.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("embedded PostgreSQL: %w", err)
	}
	e := &Server{cluster: cluster, log: o.Logger, lock: lock, stopped: make(chan struct{})}
	owned, err := e.join(ctx)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("embedded PostgreSQL: %w", err)
	}
	// The server outlives the call that started it.
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	go e.keep(keeping, owned)
	return e, nil
}

// URL is where the server answers, whoever owns it.
func (e *Server) URL() string { return e.cluster.url(databaseName) }

// Stop ends the server if this process owns it, and leaves it to its owner
// otherwise. It returns early when ctx ends; the server still goes.
func (e *Server) Stop(ctx context.Context) error {
	e.stop()
	select {
	case <-e.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("embedded PostgreSQL: stopping: %w", ctx.Err())
	}
}

// join waits until the server answers: ours, or, with a nil server, another
// process's.
func (e *Server) join(ctx context.Context) (*postmaster, error) {
	for {
		owned, err := e.own(ctx)
		if owned != nil || err != nil {
			return owned, err
		}
		if err = e.cluster.answers(ctx, databaseName); err == nil {
			return nil, nil
		}
		if !pause(ctx, ownershipPoll) {
			return nil, fmt.Errorf("another process owns %s, and its server does not answer: %w", e.cluster.dir, err)
		}
	}
}

// own starts the server if the ownership is free, or ours already. A nil server
// without an error means that another process has it.
func (e *Server) own(ctx context.Context) (*postmaster, error) {
	err := syscall.Flock(int(e.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", e.lock.Name(), err)
	}
	owned, err := e.cluster.start(ctx)
	if err != nil {
		// Another process may have what this one lacks.
		_ = syscall.Flock(int(e.lock.Fd()), syscall.LOCK_UN)
		return nil, err
	}
	return owned, nil
}

// keep holds the ownership while there is a server of ours, restarts it when it
// ends by itself, and takes over when another owner is gone.
func (e *Server) keep(ctx context.Context, owned *postmaster) {
	defer close(e.stopped)
	// Closing gives the ownership up, so it comes after the server's end.
	defer func() { _ = e.lock.Close() }()
	for {
		if owned == nil {
			if owned = e.takeOver(ctx); owned == nil {
				return
			}
			e.log.Info("embedded PostgreSQL taken over", "data", e.cluster.data)
		}
		select {
		case <-owned.exited:
			e.log.Warn("embedded PostgreSQL ended unexpectedly, starting it again", "data", e.cluster.data)
			owned = nil
		case <-ctx.Done():
			owned.shutDown()
			return
		}
	}
}

// takeOver waits for the ownership and starts the server; nil means that ctx ended.
func (e *Server) takeOver(ctx context.Context) *postmaster {
	wait := ownershipPoll
	for pause(ctx, wait) {
		limited, cancel := context.WithTimeout(ctx, startLimit)
		owned, err := e.own(limited)
		cancel()
		if owned != nil {
			return owned
		}
		wait = ownershipPoll
		if err != nil && ctx.Err() == nil {
			e.log.Error("embedded PostgreSQL does not start", "error", err)
			wait = restartPause
		}
	}
	return nil
}

// DefaultDataDir is where the data lives unless DATA_DIR says otherwise. Root's
// own home is closed to the user that the server runs as.
func DefaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/eventbooking"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "eventbooking")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".local", "share", "eventbooking")
}

// pause waits, and tells whether ctx still holds.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
