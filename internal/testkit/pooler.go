//go:build unix

package testkit

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/postgres"
)

const (
	poolerPort = "6432"
	// usersFile has the only user that the pooler knows by itself.
	usersFile = "users.txt"
	// poolerLimit bounds the start of a pooler.
	poolerLimit = 10 * time.Second
)

// Pooler starts a PgBouncer in transaction mode before the server of a database, and
// returns the database's address there. Settings override its own. It ends with the
// test, which is skipped where PgBouncer is not installed.
func Pooler(t testing.TB, address string, settings map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("pgbouncer"); err != nil {
		t.Skip("PgBouncer is not installed: apt-get install pgbouncer")
	}
	dir := ServerDir(t)
	pooled, stop, err := startPooler(dir, address, settings)
	must(t, err)
	t.Cleanup(stop)
	return pooled
}

// Pooled reports whether the tests reach their databases through a pooler that loses
// prepared statements and notifications.
func Pooled() bool { return os.Getenv("TEST_POOLER") != "" }

// SkipIfPooled skips a test that a pooler has no part in, and says why: such as that it
// looks at the sessions of its own connections.
func SkipIfPooled(t testing.TB, why string) {
	t.Helper()
	if Pooled() {
		t.Skip("skipped behind a pooler: " + why)
	}
}

// sharedPooler starts the pooler of all tests of this process, which ends with it.
func sharedPooler(address string) (string, error) {
	dir, err := os.MkdirTemp("", "evb-*") // its path is short enough for a socket
	if err != nil {
		return "", err
	}
	pooled, stop, err := startPooler(dir, address, nil)
	keep = stop
	return pooled, err
}

// keep ends the shared pooler. Nothing calls it: it keeps the pooler's pipe from being
// collected, and so closed, before the process ends.
var keep func() //nolint:unused // never read

// startPooler starts a PgBouncer with its socket in a directory.
func startPooler(dir, address string, settings map[string]string) (pooled string, stop func(), err error) {
	at, err := url.Parse(address)
	if err != nil {
		return "", nil, err
	}
	server := at.Query().Get("host")
	info, err := os.Stat(server)
	if err != nil {
		return "", nil, fmt.Errorf("a pooler needs a server with a socket: %w", err)
	}
	// As the server's user, who alone may enter the directory of its socket.
	owner := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		return "", nil, err
	}
	lines := []string{"[databases]", "* = host=" + server + " port=" + at.Query().Get("port"), "[pgbouncer]"}
	for name, value := range poolerSettings(dir, at.User.Username(), settings) {
		lines = append(lines, name+" = "+value)
	}
	config := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, usersFile), []byte(fmt.Sprintf("%q \"\"\n", at.User.Username())), 0o644); err != nil {
		return "", nil, err
	}
	// It ends when our end of the pipe closes, also if this process is killed.
	cmd := exec.Command("sh", "-c", `pgbouncer -q "$0" & read end; kill -INT $!; wait; rm -rf "${0%/*}"`, config)
	cmd.Dir = dir
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	end, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = end.Close()
		_ = cmd.Wait()
	}
	at.RawQuery = url.Values{"host": {dir}, "port": {poolerPort}, "sslmode": {"disable"}}.Encode()
	return at.String(), stop, awaitPooler(at.String(), filepath.Join(dir, "log"))
}

// poolerSettings let every role of the server in: the owner looks it up there.
func poolerSettings(dir, owner string, settings map[string]string) map[string]string {
	all := map[string]string{
		"unix_socket_dir": dir, "listen_port": poolerPort, "logfile": filepath.Join(dir, "log"), "pool_mode": "transaction",
		"auth_type": "trust", "auth_file": filepath.Join(dir, usersFile), "auth_user": owner,
		"max_client_conn": "2000", "default_pool_size": "40", "server_idle_timeout": "5",
	}
	for name, value := range settings {
		all[name] = value
	}
	return all
}

func awaitPooler(address, log string) error {
	ctx, cancel := context.WithTimeout(context.Background(), poolerLimit)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, postgres.ThroughPooler(address))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			said, _ := os.ReadFile(log)
			return fmt.Errorf("the pooler does not answer: %w\n%s", err, said)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
