package desk

import (
	"context"
	"slices"

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
	pages := pages{spare: seating.SpareHeads}
	for {
		state, err := readState(ctx, pool, all, pages)
		if err != nil {
			return nil, err
		}
		results, err := applyUntilRefusal(state, commands)
		cutShort := pages.cutShort(state)
		if len(cutShort) == 0 {
			return results, err
		}
		pages.whole = slices.Concat(pages.whole, cutShort)
	}
}

// readState reads what commands need, in a snapshot.
func readState(ctx context.Context, pool *pgxpool.Pool, commands []*pending, pages pages) (*seating.State, error) {
	return postgres.Read(ctx, pool, func(conn *pgxpool.Conn) (*seating.State, error) {
		defer rollback(conn)
		l, err := lockSlots(ctx, conn.Conn(), commands, readOnly, pages)
		if err != nil {
			return nil, err
		}
		if err := l.lockUsers(ctx, conn.Conn(), commands); err != nil {
			return nil, err
		}
		return l.state(), nil
	})
}

func applyUntilRefusal(s *seating.State, commands []seating.Command) (results []seating.Result, err error) {
	for _, c := range commands {
		r, err := s.Apply(c)
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}
