//go:build unix

package postgres

import (
	"context"
	"io/fs"
)

// MigrateUpFrom is MigrateUp with other migrations of ours.
func MigrateUpFrom(ctx context.Context, url string, files fs.FS) error {
	return migrator{files: files}.run(ctx, url, migrator.up)
}
