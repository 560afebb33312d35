// Package db carries the migrations inside the program, so that one binary can
// bring any database to the version it needs.
package db

import "embed"

// Migrations are the files of db/migrations.
//
//go:embed migrations/*.sql
var Migrations embed.FS
