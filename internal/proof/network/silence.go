//go:build unix

package network

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/proof/lab"
)

// silence lets the network forget the connections that are idle, as a firewall
// or a restarted router does: none of them ever answers again, nobody is told,
// and new ones work. No proxy does that; stopped server processes do.
func (e *experiment) silence(ctx context.Context) error {
	if err := errors.Join(e.load.Each(ctx), e.idle(ctx)); err != nil {
		return err
	}
	rows, _ := e.gates.conn.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'eventbooking%' AND state = 'idle'")
	silent, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return err
	}
	signal := func(s syscall.Signal) {
		for _, pid := range silent {
			_ = syscall.Kill(int(pid), s) // it may have left
		}
	}
	defer signal(syscall.SIGCONT)
	signal(syscall.SIGSTOP)
	if err := e.recover(ctx); err != nil {
		return err
	}
	return e.examine(ctx)
}

// idle waits until the connections that serve requests have not been used for
// longer than the service trusts them unasked.
func (e *experiment) idle(ctx context.Context) error {
	return lab.Await(ctx, arrival, func(ctx context.Context) error {
		var used int
		err := e.gates.conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('eventbooking', 'eventbooking desk')
			AND (state <> 'idle' OR state_change > clock_timestamp() - interval '1.1 seconds')`).Scan(&used)
		if err == nil && used > 0 {
			err = fmt.Errorf("%d connections are not idle", used)
		}
		return err
	})
}
