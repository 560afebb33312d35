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

// CheckServer is what Check says of a server with this version, in UTF8.
func CheckServer(number int, version string, hasExtension bool) error {
	s := server{number: number, version: version, encoding: "UTF8", clientEncoding: "UTF8", schema: "public", extension: hasExtension}
	return s.check()
}
