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

// settings are those of every command.
type settings struct {
	DatabaseURL string   `env:"DATABASE_URL" placeholder:"URL" help:"The PostgreSQL database, such as postgres://user:password@host:5432/eventbooking. Empty: a PostgreSQL of its own, in DATA_DIR."`
	DataDir     string   `env:"DATA_DIR" placeholder:"DIR" help:"Where that PostgreSQL keeps its data. Default: ~/.local/share/eventbooking, for root /var/lib/eventbooking."`
	LogFormat   format   `env:"LOG_FORMAT" default:"text" help:"How to log, on stderr: text or json."`
	LogLevel    loglevel `env:"LOG_LEVEL" default:"info" help:"What to log: debug, info, warn or error."`
}

// errUsage marks errors of those who start the program.
var errUsage = errors.New("wrong setting")

// format is a value of LOG_FORMAT.
type format string

// UnmarshalText reads it.
func (f *format) UnmarshalText(text []byte) error {
	*f = format(text)
	return oneOf(string(text), "text", "json")
}

// loglevel is a value of LOG_LEVEL.
type loglevel string

// UnmarshalText reads it.
func (l *loglevel) UnmarshalText(text []byte) error {
	*l = loglevel(text)
	return oneOf(string(text), "debug", "info", "warn", "error")
}

func oneOf(value string, choices ...string) error {
	if !slices.Contains(choices, value) {
		return fmt.Errorf("%q is none of %s", value, strings.Join(choices, ", "))
	}
	return nil
}

func (s settings) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // checked when it was read
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// session is one run of a command.
type session struct {
	settings
	ctx context.Context
	out io.Writer
	log *slog.Logger
}

// stopTimeout bounds the end of the embedded PostgreSQL.
const stopTimeout = 30 * time.Second

// database is where the data is: DATABASE_URL, or the embedded PostgreSQL, which
// end stops if this process owns it.
func (s *session) database() (url string, end func(), err error) {
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
			s.log.Warn("the embedded PostgreSQL did not end in time", "error", err)
		}
	}, nil
}

// withDatabase does something with the database, and ends it if it is our own.
func (s *session) withDatabase(do func(url string) error) error {
	url, end, err := s.database()
	if err != nil {
		return err
	}
	defer end()
	return do(url)
}

// withPool is withDatabase with connections.
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
