package main

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/audit"
	"eventbooking/internal/postgres"
)

type doctor struct{}

// Run prints all violations and warnings. It returns an error if there are
// violations; a warning, about work that is late, is none.
func (doctor) Run(s *session) error {
	return s.withSchema(postgres.ReadRows, func(pool *pgxpool.Pool) error {
		findings, err := audit.Doctor(s.ctx, pool, func(done, total int, name string) {
			s.log.Debug("examining", "done", done, "of", total, "next", name)
		})
		if err != nil {
			return err
		}
		violations := 0
		for _, finding := range findings {
			fmt.Fprintln(s.out, finding)
			if !finding.Warning {
				violations++
			}
		}
		switch {
		case violations > 0:
			return fmt.Errorf("violations found: %d", violations)
		case len(findings) == 0:
			fmt.Fprintln(s.out, "ok: no violations")
		}
		return nil
	})
}
