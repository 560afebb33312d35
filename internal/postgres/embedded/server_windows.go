package embedded

import (
	"context"
	"errors"
	"log/slog"
)

// Server is a running PostgreSQL server. There is none on Windows.
type Server struct{}

// Options say where the data lives and how the server runs.
type Options struct {
	DataDir     string
	Settings    map[string]string
	Logger      *slog.Logger
	BinariesURL string
}

// Start returns an error: file locks, sockets and signals, by which processes
// share a server, are those of Unix.
func Start(context.Context, Options) (*Server, error) {
	return nil, errors.New("embedded PostgreSQL does not run on Windows: set DATABASE_URL, or run docker compose up")
}

// URL is empty.
func (*Server) URL() string { return "" }

// Stop does nothing.
func (*Server) Stop(context.Context) error { return nil }

// DefaultDataDir is empty.
func DefaultDataDir() string { return "" }
