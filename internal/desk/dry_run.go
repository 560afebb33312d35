package desk

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// beginReadOnly is a snapshot: what is read in two round trips belongs together.
const beginReadOnly = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// DryRun is what would come of commands, one after the other, if they were done
// now. It locks nothing and changes nothing, and what it says may be out of date
// at once. The error is that of the first command that would be refused.
func DryRun(ctx context.Context, pool *pgxpool.Pool, commands ...seating.Command) ([]seating.Result, error) {
	var all []*pending
	for _, c := range commands {
		all = append(all, newPending(Submission{Command: c}))
	}
	state, err := postgres.Read(ctx, pool, func(conn *pgxpool.Conn) (*seating.State, error) {
		defer rollback(conn)
		l, err := lockSlots(ctx, conn.Conn(), all, readOnly)
		if err != nil {
			return nil, err
		}
		if err := l.lockUsers(ctx, conn.Conn(), all); err != nil {
			return nil, err
		}
		return l.state(), nil
	})
	if err != nil {
		return nil, err
	}
	var results []seating.Result
	for _, c := range commands {
		r, err := state.Apply(c)
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}
