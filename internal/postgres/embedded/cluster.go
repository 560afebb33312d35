//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is the server's data on disk, with what it takes to run a server on it.
type cluster struct {
	dir      string // DATA_DIR: the lock, and one data directory per major version
	data     string // the data directory of this major version
	socket   string // the directory of the Unix socket
	port     int    // only a part of the socket's name
	programs Programs
	settings map[string]string
	log      *slog.Logger
}

const (
	databaseName = "eventbooking"
	// maxSocketPath is what every Unix accepts in sockaddr_un (Linux: 107, macOS: 103).
	maxSocketPath = 103
)

// newCluster finds the programs and makes the directories that owner and guests
// share.
func newCluster(ctx context.Context, o Options) (*cluster, error) {
	if o.DataDir == "" {
		o.DataDir = DefaultDataDir()
	}
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	// isPostmaster compares with the path without symbolic links.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	found, err := FindPrograms(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, data: found.dataDir(dir), port: 5432, programs: found, log: o.logger()}
	if c.socket, err = c.socketDir(); err != nil {
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	c.settings = c.defaultSettings()
	maps.Copy(c.settings, o.Settings)
	return c, nil
}

// defaultSettings suit a machine that runs the service beside the database. They
// are durable, because people keep data in it.
func (c *cluster) defaultSettings() map[string]string {
	return map[string]string{
		"listen_addresses":        "",
		"unix_socket_directories": c.socket,
		"unix_socket_permissions": "0700",
		"port":                    strconv.Itoa(c.port),
		"max_connections":         "100",
		"shared_buffers":          "128MB",
		"fsync":                   "on",
		"full_page_writes":        "on",
		"synchronous_commit":      "on",
		"jit":                     "off",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"lc_messages":             "C",
		"log_destination":         "stderr",
		"logging_collector":       "off",
		"log_line_prefix":         "",
	}
}

func (c *cluster) url(role, database string) string {
	params := url.Values{"host": {c.socket}, "port": {strconv.Itoa(c.port)}, "sslmode": {"disable"}}
	return "postgres://" + role + "@/" + database + "?" + params.Encode()
}

// socketDir makes the directory of the socket. The server trusts every local
// connection, so access is limited by the directory: only the server's user and
// root may enter it. It lies beside the data, or, if that path is too long for a
// socket, under /tmp, by a name that every process derives from the data's path.
func (c *cluster) socketDir() (string, error) {
	dir := filepath.Join(c.dir, "run")
	if len(dir)+len("/.s.PGSQL.5432") > maxSocketPath {
		h := fnv.New64a()
		_, _ = h.Write([]byte(c.dir))
		dir = fmt.Sprintf("/tmp/eventbooking-%d-%x", os.Geteuid(), h.Sum64())
	}
	if err := c.programs.makePrivate(dir); err != nil {
		return "", err
	}
	// Under /tmp another user may have made the directory first.
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 || info.Sys().(*syscall.Stat_t).Uid != c.programs.uid() {
		return "", fmt.Errorf("%s must be a directory that only the server's user may enter: remove it", dir)
	}
	return dir, nil
}

// initialise makes the data directory if there is none. initdb works in another
// directory, which is renamed when it is complete: an initdb that is killed must
// not leave what looks like data.
func (c *cluster) initialise(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(c.data, "PG_VERSION")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	unfinished := c.data + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	args := []string{"--auth-local=trust", "--auth-host=reject"}
	if c.settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	if err := c.programs.Initialise(ctx, unfinished, superuser, args...); err != nil {
		return err
	}
	if err := os.Rename(unfinished, c.data); err != nil {
		return err
	}
	return syncDir(c.dir)
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return dir.Sync()
}

// ping returns nil if the server accepts a connection of a role to a database.
func (c *cluster) ping(ctx context.Context, role, database string) error {
	conn, err := c.connect(ctx, role, database)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// connectTimeout bounds a connection to our own server.
const connectTimeout = 5 * time.Second

func (c *cluster) connect(ctx context.Context, role, database string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return pgx.Connect(ctx, c.url(role, database))
}

// exec runs a statement on a connection of its own.
func (c *cluster) exec(ctx context.Context, role, database, statement string) error {
	conn, err := c.connect(ctx, role, database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}
