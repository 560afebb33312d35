package main

import (
	"fmt"

	"eventbooking/internal/postgres"
)

type migrate struct {
	Up     migrateUp     `cmd:"" help:"Migrate the schema to the version that this program needs."`
	Down   migrateDown   `cmd:"" help:"Revert migrations. Deletes their data."`
	Status migrateStatus `cmd:"" help:"Show the schema's version and the version that this program needs."`
}

type migrateUp struct{}

func (migrateUp) Run(s *session) error {
	return s.withDatabase(func(url string) error {
		if err := postgres.MigrateUp(s.ctx, url); err != nil {
			return err
		}
		return showStatus(s, url)
	})
}

type migrateDown struct {
	Steps int  `default:"1" help:"How many migrations to revert."`
	All   bool `help:"Revert all migrations, to an empty database."`
}

func (c migrateDown) Run(s *session) error {
	steps := c.Steps
	switch {
	case c.All:
		steps = 0
	case steps < 1:
		return fmt.Errorf("%w: --steps: %d is not positive; use --all to revert everything", errUsage, steps)
	}
	return s.withDatabase(func(url string) error {
		if err := postgres.MigrateDown(s.ctx, url, steps); err != nil {
			return err
		}
		return showStatus(s, url)
	})
}

type migrateStatus struct{}

func (migrateStatus) Run(s *session) error {
	return s.withDatabase(func(url string) error { return showStatus(s, url) })
}

func showStatus(s *session, url string) error {
	status, err := postgres.MigrationStatus(s.ctx, url)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "schema  %d of %d\nRiver   %d of %d\n", status.Version, status.Latest, status.River, status.RiverLatest)
	if status.Dirty {
		fmt.Fprintln(s.out, "dirty: another tool's migration failed half-way; repair the schema, then clear schema_migrations.dirty")
	}
	return nil
}
