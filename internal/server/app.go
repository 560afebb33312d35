// Package server composes the service: it sets up the router and its middleware,
// renders every error as a problem, and starts and stops everything in order. Only
// this package knows Echo.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"eventbooking/internal/account"
	"eventbooking/internal/booking"
	"eventbooking/internal/desk"
	"eventbooking/internal/event"
	"eventbooking/internal/postgres"
	"eventbooking/internal/simulation"
	"eventbooking/internal/waitlist"
)

// Config is the configuration of one process.
type Config struct {
	// DatabaseURL is that of a migrated database, which need not be reachable yet.
	DatabaseURL string
	// DirectURL is the address of the same database past a pooler, where this process
	// is notified of jobs. Empty means DatabaseURL.
	DirectURL string
	// PollJobs means that no notification gets through, so that jobs are looked for.
	PollJobs bool
	// KeepIndexes means that the role is not the owner of River's tables, so that their
	// indexes are not rebuilt every night.
	KeepIndexes bool
	// MaxConns bounds the connections that serve requests; the desk and the
	// workers have their own. 0 means pgx's default.
	MaxConns int32
	// Workers says whether this process also runs the jobs and the ticker.
	Workers bool
	// RequestTimeout bounds each request; 0 means ten seconds.
	RequestTimeout time.Duration
	// CORSOrigins may call the API from browsers; "*" means all.
	CORSOrigins []string
	// TLS is the configuration of HTTPS; nil means HTTP.
	TLS *tls.Config
	// RateLimits bound the requests of each user and address; none means no limits.
	RateLimits RateLimits
	// Quotas bound what a user keeps; none means no bounds.
	Quotas Quotas
	// LoginDelays says that wrong passwords delay further attempts.
	LoginDelays bool
	// Proxies are those whose word about a client's address is believed.
	Proxies Proxies
	Log     *slog.Logger
}

const (
	requestTimeout = 10 * time.Second
	// jobWorkers is how many jobs run at once; jobConnections is how many connections
	// they share with River's own maintenance.
	jobWorkers     = 8
	jobConnections = 8
	// jobTimeout bounds a run of a job. rescueAfter is when a job that was running is
	// taken to have died with its process, and runs again: later than jobTimeout and what
	// the desk may take beyond that, or it would run twice at a time.
	jobTimeout  = time.Minute
	rescueAfter = 2 * time.Minute
	// fetchCooldown is the least time between two fetches of jobs. River's default of
	// 0.1 s would add up along a chain of promotions.
	fetchCooldown = time.Millisecond
	// pollInterval is how often jobs are looked for without notifications.
	pollInterval = 200 * time.Millisecond
	tickInterval = 500 * time.Millisecond
	// closeTimeout bounds the closing of pools whose connections are still in use.
	closeTimeout = 5 * time.Second
)

// App is the composed service: New, Start, Stop.
type App struct {
	log     *slog.Logger
	service *service
	desk    *desk.Desk
	http    *http.Server
	// workers and ticker are nil without Config.Workers.
	workers    *river.Client[pgx.Tx]
	ticker     *waitlist.Ticker
	ticking    sync.WaitGroup
	stopTicker context.CancelFunc
	pools      []*pgxpool.Pool
	failed     chan error
}

// New composes the service. It does not connect to the database yet.
func New(ctx context.Context, config Config) (*App, error) {
	a := &App{log: config.Log, failed: make(chan error, 1)}
	if config.RequestTimeout == 0 {
		config.RequestTimeout = requestTimeout
	}
	if err := a.compose(ctx, config); err != nil {
		if a.desk != nil {
			a.desk.Close()
		}
		a.closePools()
		return nil, err
	}
	return a, nil
}

func (a *App) compose(ctx context.Context, config Config) error {
	pool, err := a.open(ctx, config.DatabaseURL, postgres.PoolOptions{
		Name: "eventbooking", MaxConns: config.MaxConns, StatementTimeout: postgres.ReadTimeout})
	if err != nil {
		return err
	}
	deskPool, err := a.open(ctx, config.DatabaseURL, postgres.PoolOptions{Name: "eventbooking desk", MaxConns: desk.Connections})
	if err != nil {
		return err
	}
	// This client only inserts, in transactions of the use cases. It has no workers,
	// because a client with workers refuses jobs of kinds that it does not know.
	jobs, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: postgres.RiverSchema, Logger: quiet(a.log), FetchCooldown: fetchCooldown})
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	if a.service, err = newService(pool); err != nil {
		return err
	}
	a.desk = desk.New(deskPool, jobs, a.log)
	a.desk.LimitUsers(config.Quotas.Quotas)
	bookings := booking.New(pool, a.desk)
	if err := a.serveHTTP(config, pool, jobs, bookings); err != nil || !config.Workers {
		return err
	}
	return a.prepareWorkers(ctx, config, bookings)
}

// serveHTTP creates the HTTP server with all operations.
func (a *App) serveHTTP(config Config, pool *pgxpool.Pool, jobs *river.Client[pgx.Tx], bookings *booking.Service) error {
	users := account.New(pool, account.Options{LoginDelays: config.LoginDelays, OnDelete: func(ctx context.Context, tx pgx.Tx, userID uuid.UUID) error {
		_, err := jobs.InsertTx(ctx, tx, booking.DeletedUserArgs{UserID: userID}, nil)
		return err
	}})
	router, err := newRouter(routerOptions{
		operations: &Operations{
			accounts:  account.NewHandler(users),
			bookings:  booking.NewHandler(bookings),
			events:    event.NewHandler(event.New(pool, a.desk, jobs).LimitDrafts(config.Quotas.Drafts)),
			waitlists: waitlist.NewHandler(waitlist.New(pool, a.desk), simulation.New(pool)),
			service:   a.service,
		},
		authenticate: users.Authenticate, docs: a.service.docs, policy: a.service.policy(),
		timeout: config.RequestTimeout, origins: config.CORSOrigins, rates: config.RateLimits, keys: config.Quotas.Keys, proxies: config.Proxies,
		loginDelays: config.LoginDelays, log: a.log,
	})
	if err != nil {
		return err
	}
	handler, err := compress(router)
	if err != nil {
		return err
	}
	a.http = newHTTPServer(handler, a.log)
	a.http.TLSConfig = config.TLS
	return nil
}

// prepareWorkers creates the workers of jobs and the ticker.
func (a *App) prepareWorkers(ctx context.Context, config Config, bookings *booking.Service) error {
	// Without a StatementTimeout: River's maintenance may take longer.
	pool, err := a.open(ctx, config.DatabaseURL, postgres.PoolOptions{Name: "eventbooking jobs", MaxConns: jobConnections})
	if err != nil {
		return err
	}
	workers := river.NewWorkers()
	waitlist.AddWorkers(workers, pool, a.desk)
	booking.AddWorkers(workers, bookings)
	driver, err := a.jobDriver(ctx, config, pool)
	if err != nil {
		return err
	}
	settings := river.Config{
		Schema: postgres.RiverSchema, Logger: quiet(a.log), Workers: workers,
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobWorkers}},
		FetchCooldown: fetchCooldown, JobTimeout: jobTimeout, RescueStuckJobsAfter: rescueAfter,
	}
	if config.PollJobs {
		settings.PollOnly, settings.FetchPollInterval = true, pollInterval
	}
	if config.KeepIndexes {
		settings.ReindexerIndexNames = []string{}
	}
	a.workers, err = river.NewClient(driver, &settings)
	if err != nil {
		return fmt.Errorf("workers: %w", err)
	}
	a.ticker = waitlist.NewTicker(pool, a.desk, a.log, tickInterval,
		waitlist.Backstop{Name: "cancel bookings of deleted users", Poll: booking.NewLeaving(bookings).Poll},
		waitlist.Backstop{Name: "delete old login delays", Poll: func(ctx context.Context) (bool, error) { return account.DeleteOldDelays(ctx, pool) }})
	return nil
}

// jobDriver returns River's driver on a pool. It is notified of jobs at DirectURL.
func (a *App) jobDriver(ctx context.Context, config Config, pool *pgxpool.Pool) (riverdriver.Driver[pgx.Tx], error) {
	if config.DirectURL == "" || config.DirectURL == config.DatabaseURL {
		return riverpgxv5.New(pool), nil
	}
	direct, err := a.open(ctx, config.DirectURL, postgres.PoolOptions{Name: "eventbooking notifications", MaxConns: 1})
	if err != nil {
		return nil, err
	}
	return listeningDriver{riverpgxv5.New(pool), riverpgxv5.New(direct)}, nil
}

// listeningDriver listens in another pool than it works in.
type listeningDriver struct {
	*riverpgxv5.Driver
	listening *riverpgxv5.Driver
}

// GetListener overrides the driver's own.
func (d listeningDriver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return d.listening.GetListener(params)
}

func (a *App) open(ctx context.Context, url string, options postgres.PoolOptions) (*pgxpool.Pool, error) {
	pool, err := postgres.Open(ctx, url, options)
	if err == nil {
		a.pools = append(a.pools, pool)
	}
	return pool, err
}

// newHTTPServer returns a server with limits against slow or hostile clients.
func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Protocols:         protocols,
		Handler:           withServerOptions(handler),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),

		DisableGeneralOptionsHandler: true,
	}
}

// Handler returns the service's HTTP handler.
func (a *App) Handler() http.Handler { return a.http.Handler }

// Start starts the workers, if the process has them, and serves HTTP on the
// listener, unless it is nil. The service runs until Stop, not until ctx ends.
func (a *App) Start(ctx context.Context, listener net.Listener) error {
	ctx = context.WithoutCancel(ctx)
	if a.workers != nil {
		if err := a.workers.Start(ctx); err != nil {
			return fmt.Errorf("start the workers: %w", err)
		}
	}
	if a.ticker != nil {
		ctx, a.stopTicker = context.WithCancel(ctx)
		a.ticking.Go(func() { a.ticker.Run(ctx) })
	}
	if listener == nil {
		return nil
	}
	go func() {
		if err := a.serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("serve: %w", err)
		}
	}()
	return nil
}

func (a *App) serve(listener net.Listener) error {
	if a.http.TLSConfig != nil {
		return a.http.ServeTLS(listener, "", "")
	}
	return a.http.Serve(listener)
}

// Failed receives an error if the service stops working by itself.
func (a *App) Failed() <-chan error { return a.failed }

// Stop stops the service. Each part stops before what it uses: readiness turns 503,
// running requests end, then the ticker, the jobs, the desk and the pools. When ctx
// ends, requests and jobs that still run are cut off, and Stop returns an error.
func (a *App) Stop(ctx context.Context) error {
	a.service.stopping.Store(true)
	err := a.drain(ctx)
	if a.stopTicker != nil {
		a.stopTicker()
		a.ticking.Wait()
	}
	if a.workers != nil {
		err = errors.Join(err, a.stopWorkers(ctx))
	}
	a.desk.Close()
	a.closePools()
	return err
}

// drain closes the listener and waits for the running requests.
func (a *App) drain(ctx context.Context) error {
	if err := a.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests did not end in time: %w", err), a.http.Close())
	}
	return nil
}

// stopWorkers waits for the running jobs. A job that is cut off runs again, in any
// process.
func (a *App) stopWorkers(ctx context.Context) error {
	if err := a.workers.Stop(ctx); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := a.workers.StopAndCancel(ctx); err != nil {
		return fmt.Errorf("jobs did not end in time: %w", err)
	}
	return nil
}

// closePools waits for connections in use, for closeTimeout at most.
func (a *App) closePools() {
	closed := make(chan struct{})
	go func() {
		for _, pool := range a.pools {
			pool.Close()
		}
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
		a.log.Warn("database connections were not released in time")
	}
}

// quiet returns a logger without River's messages below warnings, about every start,
// stop and maintenance.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h warnings) WithAttrs(attributes []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attributes)}
}

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }
