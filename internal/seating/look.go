package seating

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
)

// beginLook is a snapshot: what is read in two round trips belongs together.
const beginLook = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// Look is what would come of commands, one after the other, if they were done
// now. It locks nothing and changes nothing, and what it says may be out of date
// at once. The error is that of the first command that would be refused.
func Look(ctx context.Context, pool *pgxpool.Pool, commands ...Command) ([]Result, error) {
	var tickets []*ticket
	for _, c := range commands {
		tickets = append(tickets, newTicket(Order{Command: c}))
	}
	state, err := postgres.Read(ctx, pool, func(conn *pgxpool.Conn) (*State, error) {
		defer rollback(conn)
		l, err := lockSlots(ctx, conn.Conn(), tickets, onlyLook)
		if err != nil {
			return nil, err
		}
		if err := l.lockUsers(ctx, conn.Conn(), tickets); err != nil {
			return nil, err
		}
		return l.state(), nil
	})
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, c := range commands {
		r, err := c.apply(state)
		if err != nil {
			return results, err
		}
		results = append(results, r)
	}
	return results, nil
}
