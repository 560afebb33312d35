package main

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/account"
	"eventbooking/internal/postgres"
)

type migrate struct {
	Up     migrateUp     `cmd:"" help:"Migrate the schema to the version that this program needs."`
	Down   migrateDown   `cmd:"" help:"Revert migrations. Deletes their data."`
	Status migrateStatus `cmd:"" help:"Show the schema's version and the version that this program needs. Exits with 1 if migrations are missing."`
	Force  migrateForce  `cmd:"" help:"Record that the schema has a version, and is not dirty. Changes nothing else: for a schema that was repaired by hand."`
}

type migrateUp struct {
	RuntimeRole string `env:"RUNTIME_ROLE" placeholder:"ROLE" help:"Then let this role serve, and no more: it reads and writes rows, but neither changes tables nor what is in the ledger. The role must exist."`
}

func (c migrateUp) Run(s *session) error {
	return s.withDatabase(func(d *database) error {
		keyless, err := s.migrateUp(d)
		if err != nil {
			return err
		}
		if c.RuntimeRole != "" {
			if err := postgres.Grant(s.ctx, d.direct, c.RuntimeRole); err != nil {
				return errOf(s.directVariable(d), err)
			}
		}
		if _, err := showStatus(s, d); err != nil {
			return err
		}
		for _, user := range keyless {
			fmt.Fprintln(s.out, describe(user))
		}
		return nil
	})
}

// migrateUp migrates the schema, and does what the migrations leave to Go, as the same
// role: another one may get its privileges only afterwards.
func (s *session) migrateUp(d *database) (keyless []account.Keyless, err error) {
	err = postgres.MigrateUp(s.ctx, d.direct)
	if err == nil {
		err = postgres.CheckPrivileges(s.ctx, d.direct, postgres.WriteRows)
	}
	if err != nil {
		return nil, errOf(s.directVariable(d), err)
	}
	return fillEmailKeys(s, d.direct)
}

// fillEmailKeys computes the keys by which e-mail addresses are compared, where they are
// missing.
func fillEmailKeys(s *session, url string) (keyless []account.Keyless, err error) {
	err = usePool(s, url, func(pool *pgxpool.Pool) error {
		keyless, err = account.FillEmailKeys(s.ctx, pool)
		return err
	})
	return keyless, err
}

// describe says what is wrong with the address of a user. It shows ids only, because
// output is logged in many places.
func describe(user account.Keyless) string {
	if user.Holder == uuid.Nil {
		return fmt.Sprintf("user %s has an e-mail address that cannot be registered any more: they can log in by its exact spelling only", user.UserID)
	}
	return fmt.Sprintf("user %s has the e-mail address of the older user %s in another spelling: they can log in by its exact spelling only", user.UserID, user.Holder)
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
		return errUsage("--steps: %d is not positive; use --all to revert everything", steps)
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
