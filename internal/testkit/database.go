//go:build unix

// Package testkit gives every test a real PostgreSQL database of its own.
//
// Each test process starts an embedded server of its own, in a directory that
// later runs use again; TEST_SERVERS names another directory than /tmp for them, such
// as one in memory. Databases are copies of a migrated template, which takes a
// few hundredths of a second. TEST_DATABASE_URL names another server to use
// instead, which any number of processes may share. With TEST_POOLER=1 the tests reach
// their databases through a PgBouncer in transaction mode.
//
// The package also makes what tests need in a database (Event, Slot, Book …),
// clients that check every exchange against the contract (Client), servers to stop
// and kill (Embedded), and other processes of the test binary (StartJob).
package testkit

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
)

// Option changes the pool of DatabaseWith or Connect.
type Option func(*options)

type options struct{ maxConns int32 }

// MaxConns is the size of the pool, for tests that need many connections.
func MaxConns(n int32) Option { return func(o *options) { o.maxConns = n } }

const (
	// smallPool is small enough for many parallel tests to share a server.
	smallPool = 8
	// databaseLimit bounds each step of making and dropping a database.
	databaseLimit = time.Minute
	// closeLimit is how long a test may hold connections after its end.
	closeLimit = 10 * time.Second
)

// Database is a pool on a migrated, empty database of this test. It is dropped with
// the test.
func Database(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return DatabaseWith(t)
}

// DatabaseWith is Database with options.
func DatabaseWith(t testing.TB, opts ...Option) *pgxpool.Pool {
	t.Helper()
	return Connect(t, DatabaseURL(t), opts...)
}

// Connect is another pool on a database from DatabaseURL, like that of another
// process. It is closed with the test.
func Connect(t testing.TB, url string, opts ...Option) *pgxpool.Pool {
	t.Helper()
	o := options{maxConns: smallPool}
	for _, opt := range opts {
		opt(&o)
	}
	pool, err := postgres.Open(context.Background(), url, postgres.PoolOptions{MaxConns: o.maxConns, Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closePool(t, pool) })
	return pool
}

// DatabaseURL is the URL of a migrated, empty database of this test. It is dropped
// with the test.
func DatabaseURL(t testing.TB) string {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return s.create(t, s.template)
}

// EmptyDatabaseURL is DatabaseURL without any migration.
func EmptyDatabaseURL(t testing.TB) string {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return s.create(t, "template0")
}

// RuntimeURL is the address of a database from DatabaseURL for a role that may do there
// just what the service needs when it serves.
func RuntimeURL(t testing.TB, database string) string {
	t.Helper()
	return URLAs(t, database, runtimeRole)
}

// URLAs is an address with another role.
func URLAs(t testing.TB, address, role string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	u.User = url.User(role)
	return u.String()
}

// create makes a database for a test and drops it with the test.
func (s *server) create(t testing.TB, template string) string {
	t.Helper()
	// By the time in the name a later run finds what a killed one left.
	name := fmt.Sprintf("%s%08x_%s", testPrefix, time.Now().Unix(), rand.Text()[:12])
	id := pgx.Identifier{name}.Sanitize()
	if err := s.exec("CREATE DATABASE " + id + " TEMPLATE " + template + " STRATEGY " + copyStrategy); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + id + " WITH (FORCE)"); err != nil {
			t.Errorf("testkit: %v", err)
		}
	})
	return s.testURL(name)
}

// closePool closes a test's pool. That waits for all connections to be released;
// one that never is fails the test instead of hanging the run.
func closePool(t testing.TB, pool *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() {
		pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeLimit):
		t.Errorf("testkit: %d connections were not released", pool.Stat().AcquiredConns())
	}
}
