//go:build unix

package server_test

import (
	"context"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/fault"
	"eventbooking/internal/postgres"
	"eventbooking/internal/postgres/embedded"
	"eventbooking/internal/server"
	"eventbooking/internal/testkit"
)

// Who hangs up ends nothing but their own request.
func TestReadinessDoesNotDependOnWhoAsks(t *testing.T) {
	testkit.SkipIfShort(t, "verdicts are kept for a second")
	t.Parallel()
	h := newEnv(t)
	ctx, stop := context.WithCancel(t.Context())
	var impatient sync.WaitGroup
	for range 3 {
		impatient.Go(func() {
			for ctx.Err() == nil {
				hurried, hangUp := context.WithTimeout(ctx, rand.N(5*time.Millisecond))
				if request, err := http.NewRequestWithContext(hurried, http.MethodGet, h.Base()+"/readyz", nil); err != nil {
					t.Error(err)
				} else if answer, err := http.DefaultClient.Do(request); err == nil {
					_ = answer.Body.Close()
				}
				hangUp()
			}
		})
	}
	client := testkit.NewClient(t, h.Base())
	for range 150 {
		if answer := client.Get("/readyz"); answer.Status != http.StatusOK {
			t.Errorf("%d %s", answer.Status, answer.Body)
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	impatient.Wait()
}

// smallDatabase starts a PostgreSQL of the test's own.
func smallDatabase(t *testing.T, dir string) *embedded.Server {
	t.Helper()
	database, err := embedded.Start(t.Context(), embedded.Options{
		DataDir: dir, Logger: slog.New(slog.DiscardHandler), Settings: map[string]string{"max_connections": "24"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { testkit.StopEmbedded(t, database) })
	if err := postgres.MigrateUp(t.Context(), database.URL()); err != nil {
		t.Fatal(err)
	}
	return database
}

// Where others have all connections that the database allows, the service serves with
// those that it has, and says so.
func TestServiceIsReadyAtTheConnectionLimit(t *testing.T) {
	testkit.SkipIfShort(t, "it starts a PostgreSQL")
	t.Parallel()
	url := smallDatabase(t, testkit.ServerDir(t)).URL()
	h := newEnv(t, func(c *server.Config) { c.DatabaseURL, c.Workers = url, false })
	client := testkit.NewClient(t, h.Base())
	client.Get("/api/v1/events").Want(http.StatusOK)
	client.Get("/readyz").Want(http.StatusOK)
	var others []*pgx.Conn
	defer func() {
		for _, conn := range others {
			_ = conn.Close(context.Background())
		}
	}()
	for {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			break
		}
		if others = append(others, conn); len(others) > 24 {
			t.Fatal("there is no connection limit")
		}
	}
	for range 3 {
		time.Sleep(1100 * time.Millisecond) // longer than a verdict is kept
		client.Get("/readyz").Want(http.StatusOK)
		client.Get("/api/v1/events").Want(http.StatusOK)
	}
}

// A database that hangs makes the service unready, and it becomes ready again.
func TestServiceIsNotReadyWhileTheDatabaseHangs(t *testing.T) {
	testkit.SkipIfShort(t, "it starts a PostgreSQL")
	t.Parallel()
	dir := testkit.ServerDir(t)
	url := smallDatabase(t, dir).URL()
	h := newEnv(t, func(c *server.Config) { c.DatabaseURL, c.Workers = url, false })
	client := testkit.NewClient(t, h.Base())
	client.Get("/readyz").Want(http.StatusOK)
	signal := signaller(t, h, dir)
	signal(syscall.SIGSTOP)
	defer signal(syscall.SIGCONT)
	eventually(t, "the service is not ready", func() bool { return client.Get("/readyz").Status == http.StatusServiceUnavailable })
	for range 5 {
		client.Get("/readyz").WantProblem(fault.DatabaseUnavailable)
	}
	signal(syscall.SIGCONT)
	eventually(t, "the service is ready again", func() bool { return client.Get("/readyz").Status == http.StatusOK })
}

// signaller sends signals to a server and its connections.
func signaller(t *testing.T, h *env, dir string) func(syscall.Signal) {
	t.Helper()
	rows, err := h.pool.Query(t.Context(), "SELECT pid FROM pg_stat_activity")
	if err != nil {
		t.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "postmaster.pid" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(string(text), "\n")
		postmaster, err := strconv.Atoi(strings.TrimSpace(first))
		pids = append([]int{postmaster}, pids...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(s syscall.Signal) {
		for _, pid := range pids {
			_ = syscall.Kill(pid, s)
		}
	}
}
