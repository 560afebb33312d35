//go:build unix

package testkit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/db"
	"eventbooking/internal/postgres"
	"eventbooking/internal/postgres/embedded"
)

// server is the PostgreSQL that this process's tests use.
type server struct {
	url      string
	pooled   string // the address for tests, if they go through a pooler
	admin    *pgxpool.Pool
	template string
}

const (
	// runtimeRole may do in the databases what a role that serves may do (RuntimeURL).
	runtimeRole    = "evb_runtime"
	testPrefix     = "evb_test_"
	templatePrefix = "evb_template_"
	// copyStrategy is the faster one for a template of a few megabytes: measured,
	// see BenchmarkDatabase.
	copyStrategy = "WAL_LOG"
	// leftoverAge is when a database on a shared server is taken to be a killed run's.
	leftoverAge = time.Hour
	// leftoverLimit bounds how many databases one start drops; the next one goes on.
	leftoverLimit = 200
	// maxServers bounds how many test processes have a server at once.
	maxServers = 32
)

// theServer is opened by the first test that needs it and lives as long as the process.
var theServer = sync.OnceValues(openServer)

func openServer() (*server, error) {
	s, age := &server{url: os.Getenv("TEST_DATABASE_URL")}, leftoverAge
	var err error
	if s.url == "" {
		age = 0 // nobody else uses it
		if s.url, err = ownServer(); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), databaseLimit)
	defer cancel()
	if s.admin, err = postgres.Open(context.WithoutCancel(ctx), s.url, postgres.PoolOptions{MaxConns: 4, Name: "testkit"}); err != nil {
		return nil, err
	}
	locked, err := s.admin.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = locked.Rollback(ctx) }()
	if err := postgres.LockTx(ctx, locked, "testkit"); err != nil {
		return nil, err
	}
	hash, err := migrationsHash()
	if err != nil {
		return nil, err
	}
	if Pooled() {
		if s.pooled, err = sharedPooler(s.url); err != nil {
			return nil, err
		}
	}
	s.template = templatePrefix + hash
	if err := s.dropLeftovers(ctx, age); err != nil {
		return nil, err
	}
	return s, s.makeTemplate(ctx)
}

// ownServer starts an embedded server that no other process uses. A shared one
// would restart whenever the test process that owns it ends, and fail the tests of
// the others. Its directory is free again when this process is gone.
func ownServer() (string, error) {
	dir, err := lockServerDir()
	if err != nil {
		return "", err
	}
	url, err := startIn(dir)
	if err != nil {
		// Without fsync, a crash of the machine may have corrupted it. Start afresh.
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
		return startIn(dir)
	}
	return url, nil
}

func startIn(dir string) (string, error) {
	own, err := embedded.Start(context.Background(), embedded.Options{
		DataDir: dir,
		Logger:  slog.New(slog.DiscardHandler),
		Settings: map[string]string{
			"fsync": "off", "full_page_writes": "off", // it need not survive the machine
			"max_connections": "300", "max_wal_size": "4GB", "checkpoint_timeout": "1h",
		},
	})
	if err != nil {
		return "", err
	}
	return own.AdminURL(), nil // it ends with this process
}

// dirLock keeps the locked file from being collected, and so closed.
var dirLock *os.File //nolint:unused // never read

// lockServerDir finds a directory that no living test process uses, and locks it.
func lockServerDir() (string, error) {
	root := filepath.Join(cmp.Or(os.Getenv("TEST_SERVERS"), os.TempDir()), "eventbooking-tests-"+strconv.Itoa(os.Geteuid()))
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	for number := range maxServers {
		dir := filepath.Join(root, strconv.Itoa(number))
		lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return "", err
		}
		if err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			dirLock = lock
			return dir, nil
		}
		_ = lock.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return "", err
		}
	}
	return "", fmt.Errorf("%d test processes have a server already", maxServers)
}

// makeTemplate migrates a database once for each set of migrations. It is renamed
// to its name when it is complete.
func (s *server) makeTemplate(ctx context.Context) error {
	var exists bool
	if err := s.admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", s.template).Scan(&exists); err != nil || exists {
		return err
	}
	if err := s.exec("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '" + runtimeRole + "') THEN CREATE ROLE " + runtimeRole + " LOGIN; END IF; END $$"); err != nil {
		return err
	}
	unfinished := templatePrefix + "unfinished"
	if err := s.exec("DROP DATABASE IF EXISTS "+unfinished+" WITH (FORCE)", "CREATE DATABASE "+unfinished); err != nil {
		return err
	}
	if err := postgres.MigrateUp(ctx, s.urlOf(unfinished)); err != nil {
		return err
	}
	if err := postgres.Grant(ctx, s.urlOf(unfinished), runtimeRole); err != nil {
		return err
	}
	// CREATE DATABASE copies only a database without connections.
	return s.exec("ALTER DATABASE "+unfinished+" ALLOW_CONNECTIONS false", "ALTER DATABASE "+unfinished+" RENAME TO "+s.template)
}

// migrationsHash identifies all migrations that make the template.
func migrationsHash() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(db.Migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(db.Migrations, path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(content), content)
		return err
	})
	fmt.Fprint(h, postgres.RiverVersion(), runtimeRole)
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), err
}

// dropLeftovers drops the databases of killed runs that are older than age. On a
// server of our own it also drops the templates of other migrations; on a shared
// one another checkout may use them.
func (s *server) dropLeftovers(ctx context.Context, age time.Duration) error {
	names, err := postgres.Column(ctx, s.admin, `
		SELECT quote_ident(datname) FROM pg_database
		WHERE datname LIKE 'evb\_test\_%' AND datname < $1 OR datname LIKE 'evb\_template\_%' AND datname <> $2 AND $3
		LIMIT $4`, fmt.Sprintf("%s%08x", testPrefix, time.Now().Add(-age).Unix()), s.template, age == 0, leftoverLimit)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) exec(statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), databaseLimit)
	defer cancel()
	for _, statement := range statements {
		if _, err := s.admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// testURL is the address at which a test reaches a database.
func (s *server) testURL(database string) string {
	if s.pooled == "" {
		return s.urlOf(database)
	}
	return postgres.ThroughPooler(at(s.pooled, database))
}

func (s *server) urlOf(database string) string { return at(s.url, database) }

func at(address, database string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // postgres.Open accepted it
	}
	u.Path = "/" + database
	return u.String()
}
