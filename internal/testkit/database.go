//go:build unix

// Package testkit gives every test a real PostgreSQL database of its own.
//
// A test process takes a server for itself: the embedded one, in a directory
// that later runs use again. Its databases are copies of a migrated template, so
// that one costs a few hundredths of a second. TEST_DATABASE_URL names another
// server to use instead, which any number of processes may share.
package testkit

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
)

// Option changes what Database gives.
type Option func(*options)

type options struct{ maxConns int32 }

// MaxConns raises the size of the pool for a test that needs a crowd.
func MaxConns(n int32) Option { return func(o *options) { o.maxConns = n } }

const (
	// smallPool lets many parallel tests share a server.
	smallPool = 8
	// databaseLimit bounds each step of making and dropping a database.
	databaseLimit = time.Minute
	// closeLimit is how long a test's own work may hold connections after its end.
	closeLimit = 10 * time.Second
)

// Database is a pool on a migrated, empty database that only this test has. It
// is dropped with the test.
func Database(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return DatabaseWith(t)
}

// DatabaseWith is Database with options.
func DatabaseWith(t testing.TB, opts ...Option) *pgxpool.Pool {
	t.Helper()
	return Connect(t, DatabaseURL(t), opts...)
}

// Connect is one more pool on a database from DatabaseURL, as another process
// would have it. It is closed with the test.
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

// DatabaseURL is the address of a migrated, empty database that only this test
// has. It is dropped with the test.
func DatabaseURL(t testing.TB) string {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return s.create(t, s.template)
}

// EmptyDatabaseURL is like DatabaseURL, but nothing is migrated yet.
func EmptyDatabaseURL(t testing.TB) string {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return s.create(t, "template0")
}

// create makes a database for a test and drops it with the test.
func (s *server) create(t testing.TB, template string) string {
	t.Helper()
	// The time in the name lets a later run tell what a killed one left.
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
	return s.urlOf(name)
}

// closePool closes a test's pool, which waits for the connections that are out:
// one that never comes back is the test's mistake, and must not hang the run.
func closePool(t testing.TB, pool *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() {
		pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeLimit):
		t.Errorf("testkit: %d connections were never given back", pool.Stat().AcquiredConns())
	}
}
