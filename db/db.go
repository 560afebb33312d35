// Package db embeds the migrations, so that the binary can bring any database to the
// schema version that it needs.
package db

import "embed"

// Migrations are the files of db/migrations.
//
//go:embed migrations/*.sql
var Migrations embed.FS
