package main

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/audit"
	"eventbooking/internal/postgres"
)

type doctor struct{}

// Run prints what differs from what was promised. What is late only, it says, and
// is content.
func (doctor) Run(s *session) error {
	return s.withPool(func(pool *pgxpool.Pool) error {
		status, err := postgres.MigrationStatus(s.ctx, pool.Config().ConnString())
		if err != nil {
			return err
		}
		if !status.Current() {
			return errors.New("the database's schema is not the one of this program: run eventbooking migrate up first")
		}
		findings, err := audit.Doctor(s.ctx, pool, func(done, total int, name string) {
			s.log.Debug("examining", "done", done, "of", total, "next", name)
		})
		if err != nil {
			return err
		}
		broken := 0
		for _, finding := range findings {
			fmt.Fprintln(s.out, finding)
			if !finding.Warning {
				broken++
			}
		}
		switch {
		case broken > 0:
			return errors.New("not everything is as promised")
		case len(findings) == 0:
			fmt.Fprintln(s.out, "nothing")
		}
		return nil
	})
}
