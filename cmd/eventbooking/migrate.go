package main

import (
	"fmt"

	"eventbooking/internal/postgres"
)

type migrate struct {
	Up     migrateUp     `cmd:"" help:"Migrate the schema to the version that this program needs."`
	Down   migrateDown   `cmd:"" help:"Revert migrations. Deletes their data."`
	Status migrateStatus `cmd:"" help:"Show the schema's version and the version that this program needs. Exits with 1 if migrations are missing."`
	Force  migrateForce  `cmd:"" help:"Record that the schema has a version, and is not dirty. Changes nothing else: for a schema that was repaired by hand."`
}

type migrateUp struct{}

func (migrateUp) Run(s *session) error {
	return s.withDatabase(func(d *database) error {
		if err := postgres.MigrateUp(s.ctx, d.direct); err != nil {
			return err
		}
		_, err := showStatus(s, d)
		return err
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
	return s.withDatabase(func(d *database) error {
		if err := postgres.MigrateDown(s.ctx, d.direct, steps); err != nil {
			return err
		}
		_, err := showStatus(s, d)
		return err
	})
}

type migrateStatus struct{}

func (migrateStatus) Run(s *session) error {
	return s.withDatabase(func(d *database) error {
		status, err := showStatus(s, d)
		if err == nil && !status.Current() {
			err = fmt.Errorf("%w: run eventbooking migrate up", errBehind)
		}
		return err
	})
}

type migrateForce struct {
	Number uint `arg:"" name:"version" help:"The last migration whose changes the schema has, whole; 0 for none."`
}

func (c migrateForce) Run(s *session) error {
	return s.withDatabase(func(d *database) error {
		if err := postgres.MigrateForce(s.ctx, d.direct, c.Number); err != nil {
			return err
		}
		_, err := showStatus(s, d)
		return err
	})
}

func showStatus(s *session, d *database) (postgres.Status, error) {
	status, err := postgres.MigrationStatus(s.ctx, d.direct)
	if err != nil {
		return status, err
	}
	fmt.Fprintf(s.out, "schema  %d of %d\nRiver   %d of %d\n", status.Version, status.Latest, status.River, status.RiverLatest)
	if status.Dirty {
		fmt.Fprintln(s.out, "dirty: another tool's migration failed half-way; repair the schema, then run eventbooking migrate force VERSION")
	}
	return status, nil
}
