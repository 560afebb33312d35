package postgres

import (
	"context"
	"errors"
	"log/slog"
)

// Embedded is the PostgreSQL that runs when nobody gave a DATABASE_URL; there is
// none on Windows.
type Embedded struct{}

// EmbeddedOptions tell where the data lives and how the server runs.
type EmbeddedOptions struct {
	DataDir     string
	Settings    map[string]string
	Logger      *slog.Logger
	BinariesURL string
}

// StartEmbedded refuses: what ties the server to us and lets processes share it
// is Unix's.
func StartEmbedded(context.Context, EmbeddedOptions) (*Embedded, error) {
	return nil, errors.New("there is no embedded PostgreSQL on Windows: set DATABASE_URL, or run docker compose up")
}

func (e *Embedded) URL() string                { return "" }
func (e *Embedded) Stop(context.Context) error { return nil }

// DefaultDataDir is nowhere, as there is no data.
func DefaultDataDir() string { return "" }
