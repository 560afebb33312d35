//go:build unix

package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/postgres"
	"eventbooking/internal/postgres/embedded"
)

// Cluster is a PostgreSQL server of the lab's own, on a port of the loopback, as
// durable as one that people keep data in.
type Cluster struct {
	lab      *Lab
	programs embedded.Programs
	name     string
	port     int
	settings map[string]string
	process  *process
}

const (
	startLimit = 60 * time.Second
	database   = "eventbooking"
	// logPrefix puts the SQLSTATE first, by which the log is counted.
	logPrefix = "%e %m [%p] "
)

// Cluster makes a server and starts it, with settings above the lab's own.
func (l *Lab) Cluster(ctx context.Context, name string, settings map[string]string) (*Cluster, error) {
	return l.ClusterOf(ctx, l.programs, name, settings)
}

// ClusterOf is Cluster with another PostgreSQL than the lab's.
func (l *Lab) ClusterOf(ctx context.Context, programs embedded.Programs, name string, settings map[string]string) (*Cluster, error) {
	c := &Cluster{lab: l, programs: programs, name: name, settings: map[string]string{
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200", "shared_buffers": "256MB",
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "jit": "off", "max_wal_size": "4GB",
		"log_line_prefix": logPrefix, "log_destination": "stderr", "logging_collector": "off", "lc_messages": "C",
	}}
	maps.Copy(c.settings, settings)
	var err error
	if c.port, err = freePort(); err != nil {
		return nil, err
	}
	// For as long as the experiment runs, whoever is on this machine is trusted.
	if err := programs.Initialise(ctx, c.data(), database, "--auth=trust"); err != nil {
		return nil, err
	}
	l.onClose(func() { _ = c.Stop() })
	if err := c.Start(ctx); err != nil {
		return nil, err
	}
	return c, c.exec(ctx, "postgres", "CREATE DATABASE "+database)
}

// Standby makes a streaming replica of a cluster, which is stopped for the
// moment of the copy and started again. Its application_name is its name.
func (c *Cluster) Standby(ctx context.Context, name string, settings map[string]string) (*Cluster, error) {
	s := &Cluster{lab: c.lab, programs: c.programs, name: name, settings: maps.Clone(c.settings)}
	maps.Copy(s.settings, settings)
	var err error
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	c.lab.onClose(func() { _ = s.Stop() })
	return s, s.Follow(ctx, c)
}

// Follow makes a server that does not run a streaming replica of another, which
// is stopped for the moment of the copy and started again. What it had is gone,
// its name and its address stay.
func (c *Cluster) Follow(ctx context.Context, primary *Cluster) error {
	c.settings["primary_conninfo"] = fmt.Sprintf("host=127.0.0.1 port=%d user=%s application_name=%s", primary.port, database, c.name)
	if err := errors.Join(primary.Stop(), os.RemoveAll(c.data())); err != nil {
		return err
	}
	// A copy of a stopped cluster is a base backup, and needs no further program.
	if out, err := exec.CommandContext(ctx, "cp", "-a", primary.data(), c.data()).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the data of %s: %w\n%s", primary.name, err, out)
	}
	signal := filepath.Join(c.data(), "standby.signal")
	if err := errors.Join(os.WriteFile(signal, nil, 0o600), os.Chmod(signal, 0o666)); err != nil {
		return err
	}
	if err := primary.Start(ctx); err != nil {
		return err
	}
	return c.Start(ctx)
}

// Name is the server's, and the application_name of a standby.
func (c *Cluster) Name() string { return c.name }

func (c *Cluster) data() string { return filepath.Join(c.lab.dir, c.name) }

// Log is the path of the server's log, over all its starts.
func (c *Cluster) Log() string { return c.data() + ".log" }

// Addr is host and port.
func (c *Cluster) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)) }

// URL is the database's address, or, with another address in between, that one's.
func (c *Cluster) URL(through ...string) string {
	at := c.Addr()
	if len(through) > 0 {
		at = through[0]
	}
	return "postgres://" + database + "@" + at + "/" + database + "?sslmode=disable"
}

// Database creates another database in the server, and returns its address.
func (c *Cluster) Database(ctx context.Context, name string) (url string, err error) {
	return "postgres://" + database + "@" + c.Addr() + "/" + name + "?sslmode=disable", c.exec(ctx, "postgres", "CREATE DATABASE "+name)
}

// PID is the postmaster's id. The server must have been started.
func (c *Cluster) PID() int { return c.process.cmd.Process.Pid }

// Set changes a setting of the running server, one that needs no restart.
func (c *Cluster) Set(ctx context.Context, name, value string) error {
	return errors.Join(
		c.exec(ctx, "postgres", "ALTER SYSTEM SET "+name+" = '"+value+"'"),
		c.exec(ctx, "postgres", "SELECT pg_reload_conf()"))
}

// Start runs the server until it answers, after whatever recovery it needs.
func (c *Cluster) Start(ctx context.Context) error {
	return Await(ctx, startLimit, func(ctx context.Context) error {
		// A killed postmaster's children may hold its memory for a moment yet.
		if c.process == nil || !c.process.running() {
			if err := c.launch(); err != nil {
				return err
			}
		}
		return c.exec(ctx, "postgres", "SELECT")
	})
}

func (c *Cluster) launch() (err error) {
	args := []string{"-D", c.data(), "-p", strconv.Itoa(c.port)}
	for name, value := range c.settings {
		args = append(args, "-c", name+"="+value)
	}
	c.process, err = launch(c.programs.Command(context.Background(), c.lab.dir, "postgres", args...), c.Log())
	return err
}

// Stop ends the server in order: clients are disconnected, everything is on disk.
func (c *Cluster) Stop() error { return c.end(syscall.SIGINT) }

// Crash ends the server at once, as if the power had gone for its processes:
// PostgreSQL's immediate shutdown. The next start recovers.
func (c *Cluster) Crash() error { return c.end(syscall.SIGQUIT) }

// Kill ends the postmaster with SIGKILL.
func (c *Cluster) Kill() error { return c.end(syscall.SIGKILL) }

func (c *Cluster) end(s syscall.Signal) error {
	if c.process == nil || !c.process.running() {
		return nil
	}
	return c.process.signal(s)
}

// Remove ends the server and deletes its data, but not its log.
func (c *Cluster) Remove() error {
	if err := c.Crash(); err != nil {
		return err
	}
	return os.RemoveAll(c.data())
}

// Promote makes a standby the primary.
func (c *Cluster) Promote(ctx context.Context) error {
	return c.exec(ctx, "postgres", "SELECT pg_promote(true, 30)")
}

// Migrate brings the database's schema up.
func (c *Cluster) Migrate(ctx context.Context) error { return postgres.MigrateUp(ctx, c.URL()) }

// Exec runs statements in the service's database.
func (c *Cluster) Exec(ctx context.Context, sql string) error { return c.exec(ctx, database, sql) }

// ExecIn runs statements in a database that Database has made.
func (c *Cluster) ExecIn(ctx context.Context, name, sql string) error { return c.exec(ctx, name, sql) }

// Command is a client program of the server's PostgreSQL, such as pgbench.
func (c *Cluster) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return c.programs.Command(ctx, c.lab.dir, program, args...)
}

func (c *Cluster) exec(ctx context.Context, in, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, "postgres://"+database+"@"+c.Addr()+"/"+in+"?sslmode=disable")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

// Deadlocks counts the errors 40P01 in the server's log.
func (c *Cluster) Deadlocks() (int, error) { return c.logged("40P01") }

// logged counts the log's lines of a SQLSTATE.
func (c *Cluster) logged(state string) (n int, err error) {
	file, err := os.Open(c.Log())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if bytes.HasPrefix(lines.Bytes(), []byte(state+" ")) && bytes.Contains(lines.Bytes(), []byte("ERROR:")) {
			n++
		}
	}
	return n, lines.Err()
}

// FreeAddr is an address of the loopback that nobody listens on at the moment.
func FreeAddr() (string, error) {
	port, err := freePort()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}

// freePort is one that nobody listens on at the moment. It is below those that
// systems give to outgoing connections: whoever is killed shall find it free again.
func freePort() (port int, err error) {
	for range 100 {
		port = 20_000 + rand.IntN(10_000)
		var listener net.Listener
		if listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, listener.Close()
		}
	}
	return 0, err
}
