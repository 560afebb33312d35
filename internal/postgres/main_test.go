//go:build unix

package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/postgres"
)

// bound is how long a test waits for what must happen at some time.
const bound = 30 * time.Second

// Some tests need another process, to kill it or to run it as another user: this
// test binary, started again with one of these jobs.
var jobs = map[string]func(ctx context.Context, arg string) (string, error){
	"serve": func(ctx context.Context, dir string) (string, error) {
		e, err := postgres.StartEmbedded(ctx, postgres.EmbeddedOptions{DataDir: dir, Logger: quiet})
		if err != nil {
			return "", err
		}
		return e.URL(), nil
	},
	"migrate slowly": func(ctx context.Context, url string) (string, error) {
		return "", postgres.MigrateUpFrom(ctx, url, slowMigrations)
	},
}

var quiet = slog.New(slog.DiscardHandler)

// slowMigrations leave time to be killed in the first of them.
var slowMigrations = fstest.MapFS{
	"migrations/000001_first.up.sql": {Data: []byte("CREATE TABLE first (); SELECT pg_sleep(2); CREATE TABLE second ()")},
}

func TestMain(m *testing.M) {
	name, arg, _ := strings.Cut(os.Getenv("POSTGRES_TEST_JOB"), "|")
	job := jobs[name]
	if job == nil {
		os.Exit(m.Run())
	}
	answer, err := job(context.Background(), arg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(answer)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends or kills us
}

// process is one started with start.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	answer *bufio.Reader
}

func start(t *testing.T, job, arg string, as *syscall.Credential) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if as != nil {
		self = copyFor(t, self)
	}
	cmd := exec.Command(self)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "POSTGRES_TEST_JOB="+job+"|"+arg)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, answer: bufio.NewReader(out)}
	t.Cleanup(p.kill)
	return p
}

// ready waits for the job's answer.
func (p *process) ready() string {
	p.t.Helper()
	line, err := p.answer.ReadString('\n')
	if err != nil {
		p.t.Fatalf("the other process failed: %v", err)
	}
	return strings.TrimSpace(line)
}

// kill gives the process no chance to do anything.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// copyFor makes a copy of the test binary that any user can run.
func copyFor(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(openDir(t), "postgres.test")
	if err := os.WriteFile(to, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

// openDir is a temporary directory that every user can enter, which t.TempDir is not.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "evb-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < bound; time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

func exec1(url, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

func query1[T any](t *testing.T, url, sql string) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
