//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Server is a PostgreSQL server that this process owns, or uses as the guest of
// another process. See the package documentation.
type Server struct {
	cluster *cluster
	log     *slog.Logger
	lock    *os.File
	stop    context.CancelFunc
	stopped chan struct{} // closed when supervise has returned
}

// Options say where the data lives and how the server runs.
type Options struct {
	// DataDir holds the data, in one directory per major version. Empty means
	// DefaultDataDir.
	DataDir string
	// Settings are PostgreSQL settings, such as max_connections. They override
	// this package's own.
	Settings map[string]string
	// Logger receives the server's log lines. Nil means slog.Default.
	Logger *slog.Logger
	// BinariesURL is the Maven repository to fetch PostgreSQL from if none is
	// installed. Empty means Maven Central.
	BinariesURL string
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.Default()
	}
	return o.Logger
}

const (
	// startLimit bounds a start: initdb, or the recovery after a crash.
	startLimit = 60 * time.Second
	// lockInterval is how often a guest tries to become the owner. flock cannot
	// wait with a deadline, and a pool does not notice a tenth of a second.
	lockInterval = 100 * time.Millisecond
	// restartInterval keeps a server that cannot start from being started in a tight loop.
	restartInterval = time.Second
)

// Start starts the server of a data directory, or joins the one that another
// process runs there. It returns when the server answers, after 60 seconds at
// most; fetching PostgreSQL may take 10 minutes more. Its errors are for the user:
// where it helps, they name the variable to change or the program to install.
//
// It removes libpq's variables (PGHOST, PGSERVICE, PGOPTIONS, …) from this process:
// they are of another server, and pgx would add them to the address of this one.
func Start(ctx context.Context, o Options) (*Server, error) {
	ignoreEnvironment()
	cluster, err := newCluster(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("embedded PostgreSQL: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	// Go opens files close-on-exec: the server does not inherit the lock.
	lock, err := os.OpenFile(filepath.Join(cluster.dir, "owner.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("embedded PostgreSQL: %w", err)
	}
	s := &Server{cluster: cluster, log: o.logger(), lock: lock, stopped: make(chan struct{})}
	own, err := s.startOrJoin(ctx)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("embedded PostgreSQL: %w", err)
	}
	// The server outlives the call that started it.
	supervised, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	go s.supervise(supervised, own)
	return s, nil
}

func ignoreEnvironment() {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "PG") {
			_ = os.Unsetenv(name) // fails only for names that no environment has
		}
	}
}

// URL is the address of the server's database, for its owner, who is no superuser. It
// stays the same when the server restarts or changes its owner.
func (s *Server) URL() string { return s.cluster.url(serviceRole, databaseName) }

// AdminURL is the address of the same database for the superuser, whom only tests need.
func (s *Server) AdminURL() string { return s.cluster.url(superuser, databaseName) }

// Stop shuts the server down if this process owns it, and leaves it to its owner
// otherwise. If ctx ends first, Stop returns its error, and the shutdown goes on.
func (s *Server) Stop(ctx context.Context) error {
	s.stop()
	select {
	case <-s.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("embedded PostgreSQL: stopping: %w", ctx.Err())
	}
}

// startOrJoin waits until a server answers, and returns it if it is ours. Nil
// without an error means that another process owns it.
func (s *Server) startOrJoin(ctx context.Context) (*postmaster, error) {
	for {
		own, err := s.tryStart(ctx)
		if own != nil || err != nil {
			return own, err
		}
		if err = s.cluster.ping(ctx, serviceRole, databaseName); err == nil {
			return nil, nil
		}
		if !pause(ctx, lockInterval) {
			return nil, fmt.Errorf("another process owns %s, but its server does not answer: %w", s.cluster.dir, err)
		}
	}
}

// tryStart starts the server if no other process owns it. Nil without an error
// means that one does.
func (s *Server) tryStart(ctx context.Context) (*postmaster, error) {
	err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", s.lock.Name(), err)
	}
	own, err := s.cluster.start(ctx)
	if err != nil {
		// Another process may be able to start it.
		_ = syscall.Flock(int(s.lock.Fd()), syscall.LOCK_UN)
		return nil, err
	}
	return own, nil
}

// supervise runs until ctx ends: it restarts our server when it ends by itself,
// and as a guest it takes over when the owner is gone.
func (s *Server) supervise(ctx context.Context, own *postmaster) {
	defer close(s.stopped)
	// Closing releases the ownership, so it comes after the server's end.
	defer func() { _ = s.lock.Close() }()
	for {
		if own == nil {
			if own = s.takeOver(ctx); own == nil {
				return
			}
			s.log.Info("embedded PostgreSQL taken over", "data", s.cluster.data)
		}
		select {
		case <-own.exited:
			s.log.Warn("embedded PostgreSQL ended unexpectedly, restarting it", "data", s.cluster.data)
			own = nil
		case <-ctx.Done():
			own.shutDown()
			return
		}
	}
}

// takeOver waits for the ownership and starts the server. Nil means that ctx ended.
func (s *Server) takeOver(ctx context.Context) *postmaster {
	wait := lockInterval
	for pause(ctx, wait) {
		limited, cancel := context.WithTimeout(ctx, startLimit)
		own, err := s.tryStart(limited)
		cancel()
		if own != nil {
			return own
		}
		wait = lockInterval
		if err != nil && ctx.Err() == nil {
			s.log.Error("embedded PostgreSQL does not start", "error", err)
			wait = restartInterval
		}
	}
	return nil
}

// DefaultDataDir is where the data lives if Options name no directory:
// $XDG_DATA_HOME/eventbooking, ~/.local/share/eventbooking, or, for root,
// /var/lib/eventbooking, because the user that the server then runs as cannot
// enter root's home.
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

// pause waits, and reports whether ctx is still alive.
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
