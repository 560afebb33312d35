package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
	"eventbooking/internal/postgres/embedded"
)

// database is the database of a command.
type database struct {
	// url is the address for requests and jobs, direct the one for migrations, seeding
	// and notifications: the same, or past a pooler.
	url, direct string
	// pooler means that url leads to a pooler, and direct as well if it is the same.
	pooler bool
	// ownsRiver means that the role that connects owns River's tables.
	ownsRiver bool
	// variable is the one that leads here.
	variable string
}

// notifies reports whether the database can notify this process of jobs: a pooler
// gives LISTEN to one session of the server, and the process another one.
func (d *database) notifies() bool { return !d.pooler || d.direct != d.url }

// directVariable is the variable of the direct address.
func (s *session) directVariable(d *database) string {
	if s.DatabaseDirectURL != "" {
		return "DATABASE_DIRECT_URL"
	}
	return d.variable
}

// stopTimeout bounds the shutdown of the embedded PostgreSQL.
const stopTimeout = 30 * time.Second

// database returns that of DATABASE_URL, or starts the embedded PostgreSQL. It does
// not connect to the former. stop stops the latter if this process owns it.
func (s *session) database() (d *database, stop func(), err error) {
	if s.DatabaseURL == "" {
		return s.embedded()
	}
	d = &database{url: s.DatabaseURL, direct: s.DatabaseDirectURL, pooler: s.DatabasePooler == poolerYes, variable: "DATABASE_URL"}
	if err := postgres.CheckAddress(d.url); err != nil {
		return nil, nil, errOf("DATABASE_URL", err)
	}
	if d.pooler {
		d.url = postgres.ThroughPooler(d.url)
	}
	if d.direct == "" {
		d.direct = d.url
	}
	if err := postgres.CheckAddress(d.direct); err != nil {
		return nil, nil, errOf("DATABASE_DIRECT_URL", err)
	}
	return d, func() {}, nil
}

func (s *session) embedded() (*database, func(), error) {
	if s.DatabaseDirectURL != "" {
		return nil, nil, errUsage("DATABASE_DIRECT_URL: it is set, but DATABASE_URL is not: set both or neither")
	}
	own, err := embedded.Start(s.ctx, embedded.Options{DataDir: s.DataDir, Logger: s.log})
	if err != nil {
		return nil, nil, err
	}
	return &database{url: own.URL(), direct: own.URL(), variable: "DATA_DIR"}, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), stopTimeout)
		defer cancel()
		if err := own.Stop(ctx); err != nil {
			s.log.Warn("the embedded PostgreSQL did not stop in time", "error", err)
		}
	}, nil
}

// probe connects to a database, and notes whether a pooler is in between.
func (s *session) probe(d *database) error {
	path, err := postgres.Check(s.ctx, d.url)
	if err != nil {
		return errOf(d.variable, err)
	}
	switch {
	case path.Unprepared && s.DatabasePooler == poolerNo:
		return errUsage("DATABASE_POOLER: it is false, but the pooler of DATABASE_URL loses prepared statements: use true or auto, " +
			"or PgBouncer 1.21 or newer with max_prepared_statements")
	case path.Unprepared:
		s.log.Info("DATABASE_URL leads to a pooler that loses prepared statements: as with DATABASE_POOLER=true, none are used")
		if d.direct == d.url {
			d.direct = postgres.ThroughPooler(d.url)
		}
		d.url = postgres.ThroughPooler(d.url)
	}
	d.pooler = d.pooler || path.Pooler
	return s.checkDirect(d)
}

func (s *session) checkDirect(d *database) error {
	if d.direct == d.url {
		return nil
	}
	switch path, err := postgres.Check(s.ctx, d.direct); {
	case err != nil:
		return errOf("DATABASE_DIRECT_URL", err)
	case path.Pooler:
		return errUsage("DATABASE_DIRECT_URL: it leads to a pooler as well: use PostgreSQL's own address, or leave it out")
	}
	return nil
}

// errOf adds to an error of the database which variable leads to it.
func errOf(variable string, err error) error {
	switch {
	case err == nil || errors.As(err, new(usageError)) || errors.As(err, new(unreachable)): // it names one already
		return err
	case isFinal(err):
		return errUsage("%s: %w", variable, err)
	case postgres.Unavailable(err):
		return unreachable{variable, err}
	}
	return err
}

// unreachable is an error of a database that cannot be reached. Of a failed connection
// it says what pgx says, without the fault, which is for callers of the API.
type unreachable struct {
	variable string
	error
}

func (u unreachable) Error() string {
	var connect *pgconn.ConnectError
	if errors.As(u.error, &connect) {
		return u.variable + ": " + connect.Error()
	}
	return u.variable + ": " + u.error.Error()
}

func (u unreachable) Unwrap() error { return u.error }

// isFinal reports whether only another setting or another database helps.
func isFinal(err error) bool {
	return errors.Is(err, postgres.ErrAddress) || errors.Is(err, postgres.ErrUnsuitable)
}

// withDatabase calls do with the database, and stops it afterwards if it is embedded.
func (s *session) withDatabase(do func(d *database) error) error {
	d, stop, err := s.database()
	if err != nil {
		return err
	}
	defer stop()
	if err := s.probe(d); err != nil {
		return err
	}
	return errOf(d.variable, do(d))
}

// withSchema calls do with a pool on a database that has the schema, where the role
// that connects may do with the rows what is wanted: postgres.ReadRows or WriteRows.
func (s *session) withSchema(wanted []string, do func(pool *pgxpool.Pool) error) error {
	return s.withDatabase(func(d *database) error {
		if err := requireSchema(s.ctx, d); err != nil {
			return err
		}
		if err := postgres.CheckPrivileges(s.ctx, d.url, wanted); err != nil {
			return err
		}
		return usePool(s, d.url, do)
	})
}

// requireSchema returns an error if migrations are missing.
func requireSchema(ctx context.Context, d *database) error {
	status, err := postgres.MigrationStatus(ctx, d.url)
	if err != nil || status.Current() {
		return err
	}
	return fmt.Errorf("%w: version %d of %d, River's %d of %d: run eventbooking migrate up first", errBehind,
		status.Version, status.Latest, status.River, status.RiverLatest)
}

// errBehind means that migrations are missing.
var errBehind = errors.New("the database schema is not up to date")

func usePool(s *session, url string, do func(pool *pgxpool.Pool) error) error {
	pool, err := postgres.Open(s.ctx, url, postgres.PoolOptions{Name: "eventbooking"})
	if err != nil {
		return err
	}
	defer pool.Close()
	return do(pool)
}
