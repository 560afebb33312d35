package main

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seed"
)

type seeding struct {
	Fresh  bool  `help:"Delete everything in the database first, whoever made it. Without it, only what was seeded is replaced."`
	Scale  int   `default:"1" help:"How many times the usual amount, for load tests."`
	Number int64 `name:"seed" default:"1" help:"Which data: the same number makes the same, at the same time."`
}

// Run seeds the database and prints what to try with it.
func (c seeding) Run(s *session) error {
	if c.Scale < 1 || c.Scale > seed.MaxScale {
		return fmt.Errorf("%w: --scale: %d is not between 1 and %d", errUsage, c.Scale, seed.MaxScale)
	}
	return s.withPool(func(pool *pgxpool.Pool) error {
		if err := postgres.MigrateUp(s.ctx, pool.Config().ConnString()); err != nil {
			return err
		}
		report, err := seed.Run(s.ctx, pool, seed.Options{Number: c.Number, Scale: c.Scale, Fresh: c.Fresh, Progress: s.out})
		if err != nil {
			return err
		}
		return report.Print(s.out)
	})
}

// seedIfEmpty seeds a database that nobody has used, and prints what to try.
func seedIfEmpty(s *session, pool *pgxpool.Pool) error {
	report, seeded, err := seed.RunIfEmpty(s.ctx, pool, seed.Options{Number: 1})
	if err != nil || !seeded {
		return err
	}
	return report.Print(s.out)
}

// isSeeded looks for the one whom newcomers log in as.
func isSeeded(s *session, pool *pgxpool.Pool) (bool, error) {
	_, err := db.New().UserFindByEmail(s.ctx, pool, "busy@test.com")
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
