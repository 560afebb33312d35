//go:build unix

package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/proof/lab"
)

// waitsPace is how often waits are looked for.
const waitsPace = 50 * time.Millisecond

// synchronise makes every COMMIT wait for the standby, and waits until it has all
// that was committed before.
func (e *experiment) synchronise(ctx context.Context) error {
	if err := e.primary.Set(ctx, "synchronous_standby_names", e.standby.Name()); err != nil {
		return err
	}
	if err := e.caughtUp(ctx); err != nil {
		return err
	}
	// The setting is known; COMMIT begins to wait when the checkpointer has noticed
	// it, which it does before a checkpoint at the latest.
	if err := e.primary.Exec(ctx, "CHECKPOINT"); err != nil {
		return err
	}
	return e.caughtUp(ctx)
}

func (e *experiment) caughtUp(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, e.primary.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var at string
	if err := conn.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&at); err != nil {
		return err
	}
	return lab.Await(ctx, bound, func(ctx context.Context) error {
		var there bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_stat_replication
			WHERE application_name = $1 AND sync_state = 'sync' AND flush_lsn >= $2::text::pg_lsn)`, e.standby.Name(), at).Scan(&there)
		if err == nil && !there {
			err = fmt.Errorf("%s has not caught up with %s", e.standby.Name(), e.primary.Name())
		}
		return err
	})
}

// standbyReturns stops the standby while COMMIT waits for it, and starts it again:
// whatever was unknown in between is resolved.
func (e *experiment) standbyReturns(ctx context.Context) error {
	if err := e.miss(ctx); err != nil {
		return err
	}
	if err := e.standby.Start(ctx); err != nil {
		return err
	}
	if err := e.caughtUp(ctx); err != nil {
		return err
	}
	if err := e.load.Served(ctx, bound); err != nil {
		return err
	}
	return e.examine(ctx)
}

// standbyReplaces stops the standby, then kills the primary: what only the primary
// had committed is lost, and nobody may have been told that it was done. Not by a
// repetition that found it, either, and not when somebody ended the wait by hand.
func (e *experiment) standbyReplaces(ctx context.Context) error {
	if err := e.miss(ctx); err != nil {
		return err
	}
	ended := make(chan error, 1)
	ending, stop := context.WithCancel(ctx)
	go func() { ended <- e.endWaits(ending) }()
	err := e.load.Each(ctx)
	stop()
	if err := errors.Join(err, <-ended, e.primary.Kill(), e.standby.Start(ctx), e.standby.Promote(ctx)); err != nil {
		return err
	}
	e.primary, e.standby = e.standby, e.primary
	return e.examine(ctx)
}

// miss stops the standby and lets everybody ask once: they all get an answer, and
// none of them an acknowledgement.
func (e *experiment) miss(ctx context.Context) error {
	if err := e.standby.Stop(); err != nil {
		return err
	}
	before := e.load.Tally()
	if err := e.load.Each(ctx); err != nil {
		return err
	}
	after := e.load.Tally()
	e.unreplicated += after.Unknown - before.Unknown
	switch {
	case after.Acknowledged > before.Acknowledged:
		return lab.Broken(fmt.Errorf("%d were acknowledged that only the primary has", after.Acknowledged-before.Acknowledged))
	case after.Unknown == before.Unknown:
		return errors.New("nobody came to COMMIT")
	}
	return nil
}

// endWaits cancels every wait for the standby that it sees, as an administrator
// might: PostgreSQL then answers COMMIT as if it were replicated.
func (e *experiment) endWaits(ctx context.Context) error {
	background := context.WithoutCancel(ctx)
	conn, err := pgx.Connect(background, e.primary.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(background) }()
	var total int
	for ctx.Err() == nil {
		var n int
		if err := conn.QueryRow(background, `SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
			WHERE wait_event = 'SyncRep' AND pid <> pg_backend_pid()`).Scan(&n); err != nil {
			return err
		}
		total += n
		lab.Pause(ctx, waitsPace)
	}
	if total == 0 {
		return errors.New("no wait for the standby was there to be ended")
	}
	return nil
}
