package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/term"

	"eventbooking/internal/audit"
	"eventbooking/internal/postgres"
)

type doctor struct{}

// Run prints all violations and warnings. It returns an error if there are
// violations; a warning, about work that is late, is none.
func (doctor) Run(s *session) error {
	return s.withSchema(postgres.ReadRows, func(pool *pgxpool.Pool) error {
		findings, err := audit.Doctor(s.ctx, pool, s.showProgress())
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

// showProgress returns what shows people on a terminal how far the doctor is, and logs
// each check for others who want to know.
func (s *session) showProgress() func(audit.Progress) {
	if file, ok := s.errOut.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return progressOn(file)
	}
	return func(p audit.Progress) {
		if p.Page == p.Pages && p.Pages > 0 {
			s.log.Debug("examined", "check", p.Check, "number", p.Number, "of", p.Checks, "pages", p.Pages, "took", p.Took)
		}
	}
}

// progressOn writes a line for each check, and writes it again after each page.
func progressOn(terminal io.Writer) func(audit.Progress) {
	const clearLine = "\r\x1b[K"
	return func(p audit.Progress) {
		end := ""
		if p.Page == p.Pages && p.Pages > 0 {
			end = "\n"
		}
		percent := 100 * p.Page / max(p.Pages, 1)
		fmt.Fprintf(terminal, "%s%2d of %d  %3d %%  %6.1f s  %s%s", clearLine, p.Number, p.Checks, percent,
			p.Took.Round(100*time.Millisecond).Seconds(), p.Check, end)
	}
}
