package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
	"eventbooking/internal/postgres/embedded"
)

// settings are the settings of every command.
type settings struct {
	DatabaseURL string   `env:"DATABASE_URL" placeholder:"URL" help:"URL of the PostgreSQL database, such as postgres://user:password@host:5432/eventbooking. Default: run an embedded PostgreSQL in DATA_DIR."`
	DataDir     string   `env:"DATA_DIR" placeholder:"DIR" help:"Data directory of the embedded PostgreSQL. Default: ~/.local/share/eventbooking, for root /var/lib/eventbooking."`
	LogFormat   format   `env:"LOG_FORMAT" default:"text" help:"Log format, on stderr: text or json."`
	LogLevel    loglevel `env:"LOG_LEVEL" default:"info" help:"Lowest level to log: debug, info, warn or error."`
}

// errUsage marks invalid flags and settings, whose exit code is exitUsage.
var errUsage = errors.New("invalid setting")

// format is a value of LOG_FORMAT.
type format string

// UnmarshalText parses it.
func (f *format) UnmarshalText(text []byte) error {
	*f = format(text)
	return checkOneOf(string(text), "text", "json")
}

// loglevel is a value of LOG_LEVEL.
type loglevel string

// UnmarshalText parses it.
func (l *loglevel) UnmarshalText(text []byte) error {
	*l = loglevel(text)
	return checkOneOf(string(text), "debug", "info", "warn", "error")
}

func checkOneOf(value string, choices ...string) error {
	if !slices.Contains(choices, value) {
		return fmt.Errorf("%q is not one of %s", value, strings.Join(choices, ", "))
	}
	return nil
}

func (s settings) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // checked when it was parsed
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// session is what one run of a command needs.
type session struct {
	settings
	ctx context.Context
	in  io.Reader
	out io.Writer
	log *slog.Logger
}

// stopTimeout bounds the shutdown of the embedded PostgreSQL.
const stopTimeout = 30 * time.Second

// database returns DATABASE_URL, or starts the embedded PostgreSQL and returns its
// URL. stop stops that server if this process owns it.
func (s *session) database() (url string, stop func(), err error) {
	if s.DatabaseURL != "" {
		return s.DatabaseURL, func() {}, nil
	}
	own, err := embedded.Start(s.ctx, embedded.Options{DataDir: s.DataDir, Logger: s.log})
	if err != nil {
		return "", nil, err
	}
	return own.URL(), func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), stopTimeout)
		defer cancel()
		if err := own.Stop(ctx); err != nil {
			s.log.Warn("the embedded PostgreSQL did not stop in time", "error", err)
		}
	}, nil
}

// withDatabase calls do with the database's URL, and stops the database afterwards
// if it is embedded.
func (s *session) withDatabase(do func(url string) error) error {
	url, stop, err := s.database()
	if err != nil {
		return err
	}
	defer stop()
	return do(url)
}

// withPool is withDatabase with a pool of connections.
func (s *session) withPool(do func(pool *pgxpool.Pool) error) error {
	return s.withDatabase(func(url string) error { return usePool(s, url, do) })
}

func usePool(s *session, url string, do func(pool *pgxpool.Pool) error) error {
	pool, err := postgres.Open(s.ctx, url, postgres.PoolOptions{Name: "eventbooking"})
	if err != nil {
		return err
	}
	defer pool.Close()
	return do(pool)
}
