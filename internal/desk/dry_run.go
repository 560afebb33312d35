package desk

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// beginReadOnly takes a snapshot, so that both round trips read the same state.
const beginReadOnly = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// DryRun returns the results that commands would have, applied now and one after
// the other. It locks nothing and changes nothing, so its results may be out of
// date at once. The first refusal ends it; the results before it are returned too.
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
