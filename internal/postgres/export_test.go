//go:build unix

package postgres

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
)

// MigrateUpFrom is MigrateUp with other migrations of ours.
func MigrateUpFrom(ctx context.Context, url string, files fs.FS) error {
	return migrator{files: files}.run(ctx, url, migrator.up)
}

// ServerProgram is the postgres that runs on a data directory of ours.
func ServerProgram(ctx context.Context, dataDir string) (string, error) {
	found, err := findBinaries(ctx, dataDir, EmbeddedOptions{Logger: slog.New(slog.DiscardHandler)})
	return filepath.Join(found.dir, "postgres"), err
}
