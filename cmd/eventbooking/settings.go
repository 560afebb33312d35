package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
)

// settings are the settings of every command.
type settings struct {
	DatabaseURL       string   `env:"DATABASE_URL" placeholder:"URL" help:"URL of the PostgreSQL database, such as postgres://user:password@host:5432/eventbooking. Default: run an embedded PostgreSQL in DATA_DIR."`
	DatabasePooler    pooler   `env:"DATABASE_POOLER" default:"auto" help:"Whether DATABASE_URL leads to a pooler that loses prepared statements, such as PgBouncer before 1.21 in transaction mode: auto (recognised at the start), true or false."`
	DatabaseDirectURL string   `env:"DATABASE_DIRECT_URL" placeholder:"URL" help:"Address of the same database past the pooler, for migrations, seeding, and to be notified of jobs. Default: DATABASE_URL."`
	DataDir           string   `env:"DATA_DIR" placeholder:"DIR" help:"Data directory of the embedded PostgreSQL. Default: ~/.local/share/eventbooking, for root /var/lib/eventbooking."`
	LogFormat         format   `env:"LOG_FORMAT" default:"text" help:"Log format, on stderr: text or json."`
	LogLevel          loglevel `env:"LOG_LEVEL" default:"info" help:"Lowest level to log: debug, info, warn or error."`
}

// usageError is an error about arguments or settings, whose exit code is exitUsage. Its
// text begins with what is wrong, like those of kong.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func errUsage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// format is a value of LOG_FORMAT.
type format string

// UnmarshalText parses it.
func (f *format) UnmarshalText(text []byte) error {
	*f = format(text)
	return checkOneOf(string(text), "text", "json")
}

// pooler is a value of DATABASE_POOLER.
type pooler string

// The values of DATABASE_POOLER.
const (
	poolerAuto pooler = "auto"
	poolerYes  pooler = "true"
	poolerNo   pooler = "false"
)

// UnmarshalText parses it.
func (p *pooler) UnmarshalText(text []byte) error {
	*p = pooler(text)
	return checkOneOf(string(text), "auto", "true", "false")
}

// proxyHeader is a value of PROXY_HEADER.
type proxyHeader string

// UnmarshalText parses it.
func (h *proxyHeader) UnmarshalText(text []byte) error {
	*h = proxyHeader(text)
	return checkOneOf(string(text), "X-Forwarded-For", "Forwarded")
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
	// errOut is where the log goes, and what is only for people who watch.
	errOut io.Writer
	log    *slog.Logger
}
