package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
	"eventbooking/internal/server"
)

// process are the settings of a process that stays.
type process struct {
	ShutdownTimeout  time.Duration `env:"SHUTDOWN_TIMEOUT" default:"20s" help:"How long requests and jobs may take to end when the process is stopped."`
	DatabaseMaxConns int32         `env:"DATABASE_MAX_CONNS" default:"16" help:"How many database connections serve requests; bookings and jobs have some of their own."`
}

func (p process) check() error {
	switch {
	case p.ShutdownTimeout <= 0:
		return fmt.Errorf("%w: SHUTDOWN_TIMEOUT: %s is not a time above zero, such as 20s", errUsage, p.ShutdownTimeout)
	case p.DatabaseMaxConns < 1:
		return fmt.Errorf("%w: DATABASE_MAX_CONNS: %d is not a number above zero", errUsage, p.DatabaseMaxConns)
	}
	return nil
}

type serve struct {
	process
	Addr        string   `env:"ADDR" default:"127.0.0.1:8000" help:"Host and port to serve on."`
	Workers     bool     `env:"WORKERS" default:"true" help:"Also work off promotions, expiries and jobs. Turn it off with --workers=false."`
	CORSOrigins []string `name:"cors-origins" env:"CORS_ORIGINS" placeholder:"ORIGIN,…" help:"Whose pages may use the API from a browser, such as https://shop.example.com; * is everybody's. Default: none."`
	SeedIfEmpty bool     `env:"SEED_IF_EMPTY" help:"Seed the database if nobody has used it yet."`
}

// Run serves until it is told to stop.
func (c *serve) Run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	if err := checkOrigins(c.CORSOrigins); err != nil {
		return err
	}
	listener, err := listen(c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	return c.live(s, server.Config{Workers: c.Workers, CORSOrigins: c.CORSOrigins}, listener, func(url string) error {
		return usePool(s, url, func(pool *pgxpool.Pool) error {
			if c.SeedIfEmpty {
				if err := seedIfEmpty(s, pool); err != nil {
					return err
				}
			}
			return welcome(s, pool, listener.Addr())
		})
	})
}

// checkOrigins refuses what no browser would send as an Origin.
func checkOrigins(origins []string) error {
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Scheme == "" || u.Host == "" || origin != u.Scheme+"://"+u.Host) {
			return fmt.Errorf("%w: CORS_ORIGINS: %q is not an origin, such as https://shop.example.com, without a path", errUsage, origin)
		}
	}
	return nil
}

// listen says in words what is usually wrong with an address.
func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("ADDR: another process serves on %s already; stop it, or choose another address, such as ADDR=127.0.0.1:8001", addr)
	case err != nil:
		return nil, fmt.Errorf("%w: ADDR: cannot serve on %q: %w", errUsage, addr, err)
	}
	return listener, nil
}

type worker struct{ process }

// Run works until it is told to stop.
func (c *worker) Run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.live(s, server.Config{Workers: true}, nil, func(string) error {
		s.log.Info("working")
		return nil
	})
}

// live brings the service up, tells that it is, waits for its end, and takes it
// down again.
func (p process) live(s *session, config server.Config, listener net.Listener, ready func(url string) error) (err error) {
	url, end, err := s.database()
	if err != nil {
		return err
	}
	defer end()
	if err := migrateWhenUp(s, url); err != nil {
		return err
	}
	config.DatabaseURL, config.MaxConns, config.Log = url, p.DatabaseMaxConns, s.log
	app, err := server.New(s.ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), p.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, app.Stop(ctx))
	}()
	if err := ready(url); err != nil {
		return err
	}
	if err := app.Start(s.ctx, listener); err != nil {
		return err
	}
	select {
	case <-s.ctx.Done():
		s.log.Info("stopping; once more to stop at once")
		return nil
	case err := <-app.Failed():
		return err
	}
}

const (
	// patience is how long a start waits for a database that starts too.
	patience = 30 * time.Second
	// retryPause is between two tries.
	retryPause = time.Second
)

// migrateWhenUp brings the schema up, as soon as there is a database.
func migrateWhenUp(s *session, url string) error {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	for {
		err := postgres.MigrateUp(s.ctx, url)
		if !postgres.Unavailable(err) {
			return err
		}
		s.log.Warn("waiting for the database", "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("DATABASE_URL: %w", err)
		case <-time.After(retryPause):
		}
	}
}

// welcome tells where to go, and, when the data to try is there, as whom.
func welcome(s *session, pool *pgxpool.Pool, addr net.Addr) error {
	seeded, err := isSeeded(s, pool)
	if err != nil {
		return err
	}
	host := addr.String()
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", tcp.Port) // [::] is no address to go to
	}
	fmt.Fprintf(s.out, "\nServing on   http://%s\nAPI docs     http://%s/docs\n", host, host)
	if seeded {
		fmt.Fprintln(s.out, "Log in as    busy@test.com / password    an attendee with a booking in every status\n"+
			"             admin@test.com / password   an administrator")
	}
	fmt.Fprintln(s.out, "Stop with    Ctrl-C")
	return nil
}
