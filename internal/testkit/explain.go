//go:build unix

package testkit

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"

	"eventbooking/gen/db"
)

// Explained runs queries, and keeps what they cost.
type Explained struct {
	db.DBTX
	Plans string
	// Buffers is how many pages of 8 KiB the queries read, in memory or not, and Rows how
	// many rows they looked at. Unlike the time, both are the same each time.
	Buffers, Rows int
}

// Query implements db.DBTX.
func (e *Explained) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := e.explain(ctx, sql, args); err != nil {
		return nil, err
	}
	return e.DBTX.Query(ctx, sql, args...)
}

// QueryRow implements db.DBTX.
func (e *Explained) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := e.explain(ctx, sql, args); err != nil {
		return failed{err}
	}
	return e.DBTX.QueryRow(ctx, sql, args...)
}

// failed is the row of a query that could not be explained.
type failed struct{ error }

// Scan implements pgx.Row.
func (f failed) Scan(...any) error { return f.error }

func (e *Explained) explain(ctx context.Context, sql string, args []any) error {
	for _, format := range []string{"TEXT", "JSON"} {
		rows, err := e.DBTX.Query(ctx, "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF, FORMAT "+format+") "+sql, args...)
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if text := strings.Join(lines, "\n"); format == "TEXT" {
			e.Plans += strings.ReplaceAll(text, `"`, "") + "\n" // a database may quote all names
		} else if err := e.count(text); err != nil {
			return err
		}
	}
	return nil
}

// node is one of a plan. Its buffers include those of the nodes below.
type node struct {
	Hit     int     `json:"Shared Hit Blocks"`
	Read    int     `json:"Shared Read Blocks"`
	Rows    float64 `json:"Actual Rows"`
	Removed float64 `json:"Rows Removed by Filter"`
	Loops   float64 `json:"Actual Loops"`
	Plans   []node
}

// looked is how many rows the scans of the node and of those below looked at.
func (n node) looked() (rows float64) {
	if len(n.Plans) == 0 {
		return (n.Rows + n.Removed) * n.Loops
	}
	for _, below := range n.Plans {
		rows += below.looked()
	}
	return rows
}

func (e *Explained) count(text string) error {
	var plans []struct{ Plan node }
	err := json.Unmarshal([]byte(text), &plans)
	for _, p := range plans {
		e.Buffers += p.Plan.Hit + p.Plan.Read
		e.Rows += int(p.Plan.looked())
	}
	return err
}
