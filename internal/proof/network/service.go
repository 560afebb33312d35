//go:build unix

package network

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/goleak"

	"eventbooking/internal/audit"
	"eventbooking/internal/postgres"
	"eventbooking/internal/proof/lab"
	"eventbooking/internal/server"
)

// service is the service in this process, where its goroutines can be counted.
type service struct {
	app  *server.App
	url  string
	http *http.Client
	log  *os.File
	// others are the goroutines that were there before.
	others goleak.Option
}

const (
	maxConns = 16
	// stopLimit bounds the end of the service, leaveLimit how long its last
	// goroutines may then take: pgx closes a broken connection for up to
	// 15 seconds.
	stopLimit  = 20 * time.Second
	leaveLimit = 20 * time.Second
)

func startService(ctx context.Context, l *lab.Lab, databaseURL string) (*service, error) {
	s := &service{others: goleak.IgnoreCurrent(), http: &http.Client{Timeout: 2 * time.Second}}
	var err error
	if s.log, err = os.Create(filepath.Join(l.Dir(), "network.log")); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.url = "http://" + listener.Addr().String()
	s.app, err = server.New(ctx, server.Config{
		DatabaseURL: databaseURL, MaxConns: maxConns, Workers: true, Log: slog.New(slog.NewTextHandler(s.log, nil))})
	if err != nil {
		return nil, err
	}
	if err := s.app.Start(ctx, listener); err != nil {
		return nil, err
	}
	return s, lab.Await(ctx, arrival, s.ready)
}

// ready asks whether the service is ready.
func (s *service) ready(ctx context.Context) error {
	return lab.Ready(ctx, s.http, s.url)
}

// stop ends the service, and fails if it leaves a goroutine behind.
func (s *service) stop(ctx context.Context) error {
	defer func() { _ = s.log.Close() }()
	s.http.CloseIdleConnections()
	stopping, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	if err := s.app.Stop(stopping); err != nil {
		return lab.Broken(fmt.Errorf("stop the service: %w", err))
	}
	if err := lab.Await(ctx, leaveLimit, func(context.Context) error { return goleak.Find(s.others) }); err != nil {
		return lab.Broken(fmt.Errorf("goroutines left behind: %w", err))
	}
	return nil
}

// examine runs the doctor.
func examine(ctx context.Context, databaseURL string) error {
	pool, err := postgres.Open(ctx, databaseURL, postgres.PoolOptions{MaxConns: 1, Name: "doctor"})
	if err != nil {
		return err
	}
	defer pool.Close()
	findings, err := audit.Doctor(ctx, pool, nil)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if !f.Warning {
			return lab.Broken(fmt.Errorf("doctor: %s", f))
		}
	}
	return nil
}
