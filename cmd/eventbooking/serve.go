package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
	"eventbooking/internal/seed"
	"eventbooking/internal/server"
)

// process are the settings of a long-running process.
type process struct {
	ShutdownTimeout  time.Duration `env:"SHUTDOWN_TIMEOUT" default:"20s" help:"How long running requests and jobs may take when the process stops."`
	Migrate          bool          `env:"MIGRATE" default:"true" help:"Migrate the database first. Disable with --migrate=false where eventbooking migrate up is run separately, by another role."`
	RunAs            string        `env:"RUN_AS" placeholder:"USER" help:"User to go on as, if root has started it, once it listens: a name, an id, uid:gid, or root to stay. Default: nobody; without DATABASE_URL the user of its PostgreSQL."`
	DatabaseMaxConns int32         `env:"DATABASE_MAX_CONNS" default:"16" help:"Size of the database connection pool for requests. Bookings and jobs use additional connections."`
}

func (p process) check() error {
	switch {
	case p.ShutdownTimeout <= 0:
		return errUsage("SHUTDOWN_TIMEOUT: %s is not a positive duration, such as 20s", p.ShutdownTimeout)
	case p.DatabaseMaxConns < 1:
		return errUsage("DATABASE_MAX_CONNS: %d is not positive", p.DatabaseMaxConns)
	}
	return nil
}

type serve struct {
	process
	Addr           string      `env:"ADDR" default:"127.0.0.1:8000" help:"Host and port to listen on."`
	Workers        bool        `env:"WORKERS" default:"true" help:"Also run the workers: promotions, expiries and jobs. Disable with --workers=false."`
	CORSOrigins    []string    `name:"cors-origins" env:"CORS_ORIGINS" placeholder:"ORIGIN" help:"Origins that may call the API from a browser, such as https://shop.example.com, or * for all. Default: none."`
	RateLimits     string      `env:"RATE_LIMITS" placeholder:"CLASS=N/TIME" help:"Changes of the rate limits, such as reads=1000/1m,searches=off, or off for none. Classes and defaults: ${rates}."`
	LoginDelays    bool        `env:"LOGIN_DELAYS" default:"true" help:"Let wrong passwords delay the next attempt, for an account and for an address. Disable with --login-delays=false."`
	Quotas         string      `env:"QUOTAS" placeholder:"NAME=N" help:"Changes of the quotas of a user, such as drafts=5000,holds=off, or off for none. Names and defaults: ${quotas}."`
	MaxRequests    *int        `env:"MAX_REQUESTS" placeholder:"N" help:"How many requests are in work at once, or 0 for any number. Of bookings, which need no database connection while they wait, sixteen times as many; of searches a quarter. Default: DATABASE_MAX_CONNS."`
	MaxPerCaller   *int        `env:"MAX_REQUESTS_PER_CALLER" name:"max-requests-per-caller" placeholder:"N" help:"How many of these one user may have, and an address without a token four times as many; or 0 for any number. Default: half of DATABASE_MAX_CONNS."`
	MaxConnections int         `env:"MAX_CONNECTIONS" default:"4000" help:"How many connections of clients are open at once, or 0 for any number. A new one then closes the one that has been idle for the longest time."`
	TrustedProxies []string    `env:"TRUSTED_PROXIES" placeholder:"NETWORK" help:"Networks of the proxies in front, such as 10.0.0.0/8, whose word about the client's address is believed. Default: none; the peer's address counts."`
	ProxyHeader    proxyHeader `env:"PROXY_HEADER" default:"X-Forwarded-For" help:"The header in which these proxies say it: X-Forwarded-For or Forwarded."`
	TLSCertFile    string      `name:"tls-cert-file" env:"TLS_CERT_FILE" placeholder:"FILE" help:"Certificate with its chain, in PEM, to serve HTTPS. It is read again when it changes, or on SIGHUP."`
	TLSKeyFile     string      `name:"tls-key-file" env:"TLS_KEY_FILE" placeholder:"FILE" help:"The certificate's key, in PEM."`
	SeedIfEmpty    bool        `env:"SEED_IF_EMPTY" help:"Seed the database with sample data if it is empty. The seeded users, an administrator among them, have passwords that everybody knows."`
	ExposeSeed     bool        `env:"EXPOSE_SEED" help:"Allow SEED_IF_EMPTY on an address that other machines can reach."`
}

// Run serves until the session's context ends.
func (c *serve) Run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	config, err := c.config()
	if err != nil {
		return err
	}
	if config.TLS, err = c.followCertificate(s); err != nil {
		return err
	}
	listener, err := listen(c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	if err := c.checkExposure(listener.Addr()); err != nil {
		return err
	}
	return c.runService(s, config, listener, func(d *database) error {
		if c.SeedIfEmpty {
			if err := usePool(s, d.direct, func(pool *pgxpool.Pool) error { return seedIfEmpty(s, pool) }); err != nil {
				return err
			}
		}
		return usePool(s, d.url, func(pool *pgxpool.Pool) error { return c.welcome(s, pool, listener.Addr()) })
	})
}

// config are the settings of the HTTP service. Its errors name the variable.
func (c *serve) config() (config server.Config, err error) {
	config = server.Config{
		Workers: c.Workers, CORSOrigins: c.CORSOrigins, LoginDelays: c.LoginDelays, MaxConnections: c.MaxConnections,
		Proxies: server.Proxies{Header: string(c.ProxyHeader)},
	}
	if err := server.CheckOrigins(c.CORSOrigins); err != nil {
		return config, errUsage("CORS_ORIGINS: %w", err)
	}
	if config.RateLimits, err = server.ParseRateLimits(c.RateLimits); err != nil {
		return config, errUsage("RATE_LIMITS: %w", err)
	}
	if config.Quotas, err = server.ParseQuotas(c.Quotas); err != nil {
		return config, errUsage("QUOTAS: %w", err)
	}
	if config.Concurrency, err = c.concurrency(); err != nil {
		return config, err
	}
	if c.MaxConnections < 0 {
		return config, errUsage("MAX_CONNECTIONS: %d is negative; 0 is no bound", c.MaxConnections)
	}
	for _, text := range c.TrustedProxies {
		network, err := parseNetwork(text)
		if err != nil {
			return config, errUsage("TRUSTED_PROXIES: %w", err)
		}
		config.Proxies.Trusted = append(config.Proxies.Trusted, network)
	}
	return config, nil
}

// followCertificate reads the certificate, if there is one, and follows its changes until
// the session's context ends. The files are read before the process gives up root, and again
// afterwards: its user must be allowed to read them.
func (c *serve) followCertificate(s *session) (*tls.Config, error) {
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		return nil, errUsage("TLS_CERT_FILE, TLS_KEY_FILE: only one of them is set: set both or neither")
	}
	if c.TLSCertFile == "" {
		return nil, nil
	}
	certificate, err := server.LoadCertificate(c.TLSCertFile, c.TLSKeyFile, s.log)
	if err != nil {
		return nil, errUsage("TLS_CERT_FILE, TLS_KEY_FILE: %w", err)
	}
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	go func() {
		defer signal.Stop(reload)
		certificate.Watch(s.ctx, reload)
	}()
	return certificate.Config(), nil
}

func (c *serve) concurrency() (server.Concurrency, error) {
	most := server.DefaultConcurrency(c.DatabaseMaxConns)
	if c.MaxRequests != nil {
		most.Requests = *c.MaxRequests
	}
	if c.MaxPerCaller != nil {
		most.Caller = *c.MaxPerCaller
	}
	switch {
	case most.Requests < 0:
		return most, errUsage("MAX_REQUESTS: %d is negative; 0 is no bound", most.Requests)
	case most.Caller < 0:
		return most, errUsage("MAX_REQUESTS_PER_CALLER: %d is negative; 0 is no bound", most.Caller)
	}
	return most, nil
}

// parseNetwork reads a network of proxies, such as 10.0.0.0/8.
func parseNetwork(text string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(text)
	if err != nil || network.Addr().Is4In6() {
		return network, fmt.Errorf("%q is not a network: use CIDR notation, such as 10.0.0.0/8 or 192.0.2.7/32", text)
	}
	if network.Bits() == 0 {
		return network, fmt.Errorf("%q is everybody, who could then say any address: name the networks of the proxies only", text)
	}
	return network.Masked(), nil
}

// checkExposure refuses to seed users with known passwords where other machines can
// log in as them, unless that was asked for as well.
func (c *serve) checkExposure(addr net.Addr) error {
	if c.SeedIfEmpty && !c.ExposeSeed && !isLoopback(addr) {
		return errUsage("SEED_IF_EMPTY: %s can be reached from other machines, and the seeded administrator admin@test.com has the password \"password\": "+
			"use a loopback address, such as ADDR=127.0.0.1:8000, or set EXPOSE_SEED=true as well", addr)
	}
	return nil
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// listen listens on an address. Its errors name ADDR and suggest what to do.
func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("ADDR: %s is already in use: stop the other process, or use another address, such as ADDR=127.0.0.1:8001", addr)
	case err != nil:
		return nil, errUsage("ADDR: cannot listen on %q: %w", addr, err)
	}
	return listener, nil
}

type worker struct{ process }

// Run runs the workers until the session's context ends.
func (c *worker) Run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.runService(s, server.Config{Workers: true}, nil, func(*database) error {
		s.log.Info("workers started")
		return nil
	})
}

// runService migrates and starts the service, and stops it when the session's
// context ends or the service fails. It calls ready before the service starts to
// answer. A nil listener means workers only.
func (p process) runService(s *session, config server.Config, listener net.Listener, ready func(d *database) error) (err error) {
	user, err := p.user(s)
	if err != nil {
		return err
	}
	d, stop, err := s.database()
	if err != nil {
		return err
	}
	defer stop()
	// Before anything comes in, from clients or the database.
	if err := p.become(s, user); err != nil {
		return err
	}
	defer func() { err = errOf(d.variable, err) }()
	if err := p.prepareWhenUp(s, d); err != nil {
		return err
	}
	// At each start, because the previous version may have made users meanwhile.
	keyless, err := fillEmailKeys(s, d.url)
	if err != nil {
		return err
	}
	if len(keyless) > 0 {
		s.log.Warn("users share an e-mail address in different spellings, or have an invalid one: eventbooking migrate up lists them", "users", len(keyless))
	}
	config.DatabaseURL, config.MaxConns, config.Log = d.url, p.DatabaseMaxConns, s.log
	config.DirectURL, config.PollJobs, config.KeepIndexes = d.direct, !d.notifies(), !d.ownsRiver
	app, err := server.New(s.ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), p.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, app.Stop(ctx))
	}()
	if err := ready(d); err != nil {
		return err
	}
	if err := app.Start(s.ctx, listener); err != nil {
		return err
	}
	select {
	case <-s.ctx.Done():
		s.log.Info("stopping; press Ctrl-C again to exit immediately")
		return nil
	case err := <-app.Failed():
		return err
	}
}

const (
	// startTimeout is how long a start waits for a database that is starting as well.
	startTimeout = 30 * time.Second
	// retryPause is the time between two tries.
	retryPause = time.Second
)

// prepareWhenUp prepares the database as soon as it can be reached.
func (p process) prepareWhenUp(s *session, d *database) error {
	ctx, cancel := context.WithTimeout(s.ctx, startTimeout)
	defer cancel()
	for {
		err := p.prepare(s, d)
		if isFinal(err) || !postgres.Unavailable(err) {
			return err
		}
		s.log.Warn("waiting for the database", "error", strings.Join(causes(err), "; "))
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryPause):
		}
	}
}

// prepare checks that the service can work with the database, and migrates it.
func (p process) prepare(s *session, d *database) error {
	if err := s.probe(d); err != nil {
		return err
	}
	if p.Migrate {
		if err := postgres.MigrateUp(s.ctx, d.direct); err != nil {
			return errOf(s.directVariable(d), err)
		}
	}
	ctx, cancel := context.WithTimeout(s.ctx, startTimeout)
	defer cancel()
	if err := requireSchema(ctx, d); err != nil {
		return err
	}
	if err := postgres.CheckPrivileges(ctx, d.url, postgres.WriteRows); err != nil {
		return err
	}
	var err error
	d.ownsRiver, err = postgres.OwnsRiver(ctx, d.url)
	return err
}

// welcome prints where the service is, and, if it is seeded, whom to log in as.
func (c *serve) welcome(s *session, pool *pgxpool.Pool, addr net.Addr) error {
	seeded, err := seededLogins(s, pool)
	if err != nil {
		return err
	}
	if len(seeded) > 0 {
		s.log.Warn("seeded users can log in with passwords that everybody knows; use this database only for trying things out",
			"users", len(seeded), "reachable_from_other_machines", !isLoopback(addr))
	}
	host := addr.String()
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", tcp.Port) // [::] is no address to open in a browser
	}
	scheme := "http"
	if c.TLSCertFile != "" {
		scheme = "https"
	}
	fmt.Fprintf(s.out, "\nServing on   %[1]s://%[2]s\nAPI docs     %[1]s://%[2]s/docs\n", scheme, host)
	if slices.Contains(seeded, seed.Busy) && slices.Contains(seeded, seed.Admin) {
		fmt.Fprintln(s.out, "Log in as    busy@test.com / password    an attendee with a booking in every status\n"+
			"             admin@test.com / password   an administrator\n"+
			"Try          what eventbooking seed --show prints")
	}
	fmt.Fprintln(s.out, "Stop with    Ctrl-C")
	return nil
}
