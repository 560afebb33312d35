package embedded

import (
	"context"
	"errors"
	"log/slog"
)

// Embedded is the PostgreSQL that runs when nobody gave a DATABASE_URL; there is
// none on Windows.
type Server struct{}

// Options tell where the data lives and how the server runs.
type Options struct {
	DataDir     string
	Settings    map[string]string
	Logger      *slog.Logger
	BinariesURL string
}

// Start refuses: what ties the server to us and lets processes share it
// is Unix's.
func Start(context.Context, Options) (*Server, error) {
	return nil, errors.New("there is no embedded PostgreSQL on Windows: set DATABASE_URL, or run docker compose up")
}

func (e *Server) URL() string                { return "" }
func (e *Server) Stop(context.Context) error { return nil }

// DefaultDataDir is nowhere, as there is no data.
func DefaultDataDir() string { return "" }
