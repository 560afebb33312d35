package main

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/account"
	"eventbooking/internal/postgres"
	"eventbooking/internal/seed"
)

type seeding struct {
	Fresh  bool  `help:"Delete all data first. Otherwise only seeded data is replaced, and other data is an error."`
	Scale  int   `default:"1" help:"Multiply the amount of data, for load tests."`
	Show   bool  `help:"Print again what to try with the seeded data. Changes nothing."`
	Number int64 `name:"seed" default:"1" help:"Random seed. The same seed at the same time makes the same data."`
}

// Run seeds the database and prints what to try with it.
func (c seeding) Run(s *session) error {
	if c.Scale < 1 || c.Scale > seed.MaxScale {
		return errUsage("--scale: %d is not between 1 and %d", c.Scale, seed.MaxScale)
	}
	if c.Show {
		return c.show(s)
	}
	return s.withDatabase(func(d *database) error {
		if _, err := s.migrateUp(d); err != nil {
			return err
		}
		return usePool(s, d.direct, func(pool *pgxpool.Pool) error {
			report, err := seed.Run(s.ctx, pool, seed.Options{Number: c.Number, Scale: c.Scale, Fresh: c.Fresh, Progress: s.out})
			if err != nil {
				return err
			}
			return report.Print(s.out)
		})
	})
}

// show prints what to try with data that was seeded before.
func (c seeding) show(s *session) error {
	if c.Fresh {
		return errUsage("--show: it changes nothing, and cannot be used with --fresh")
	}
	return s.withSchema(postgres.ReadRows, func(pool *pgxpool.Pool) error {
		report, err := seed.Recall(s.ctx, pool, c.Number)
		if err != nil {
			return err
		}
		return report.Print(s.out)
	})
}

// seedIfEmpty seeds a database without data.
func seedIfEmpty(s *session, pool *pgxpool.Pool) error {
	report, seeded, err := seed.RunIfEmpty(s.ctx, pool, seed.Options{Number: 1})
	if err == nil && seeded {
		fmt.Fprintf(s.out, "Seeded %d users, %d events and %d bookings.\n", report.Counts.Users, report.Counts.Events, report.Counts.Bookings)
	}
	return err
}

// seededLogins returns the seeded users who can still log in with the passwords that
// the README shows.
func seededLogins(s *session, pool *pgxpool.Pool) (known []seed.Login, err error) {
	users := account.New(pool, account.Options{})
	for _, login := range seed.Logins {
		found, err := users.HasPassword(s.ctx, login.Email, login.Password)
		if err != nil {
			return nil, err
		}
		if found {
			known = append(known, login)
		}
	}
	return known, nil
}
