//go:build unix

package network

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"eventbooking/internal/proof/lab"
)

// moment is when a fault comes, and in which direction.
type moment struct {
	name string
	// gate holds the desk at this moment; a random moment has none.
	gate *gate
	way  func(*rand.Rand) direction
}

var (
	// inCommit is while the database commits: its answer is what is lost.
	inCommit = moment{"in COMMIT", &commitGate, func(*rand.Rand) direction { return fromDatabase }}
	// beforeCommit is before the last round trip: the writes and COMMIT, sent
	// together, are what is lost.
	beforeCommit = moment{"on the way to COMMIT", &writeGate, func(*rand.Rand) direction { return toDatabase }}
	byChance     = moment{"by chance", nil, func(r *rand.Rand) direction {
		if r.IntN(2) == 0 {
			return toDatabase
		}
		return fromDatabase
	}}
	moments = []moment{inCommit, beforeCommit, byChance}
)

// gate is a lock that the experiment takes to stop the desk at a certain point.
type gate struct{ shut, open string }

var (
	// commitGate is taken by every COMMIT of bookings, in a deferred trigger.
	commitGate = gate{"SELECT pg_advisory_lock(1)", "SELECT pg_advisory_unlock(1)"}
	// writeGate is everybody's row, which the desk locks before it writes.
	writeGate = gate{"BEGIN; SELECT FROM users FOR NO KEY UPDATE", "ROLLBACK"}
)

const makeCommitGate = `
	CREATE FUNCTION proof_gate() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
	CREATE CONSTRAINT TRIGGER proof_gate AFTER INSERT OR UPDATE ON bookings
		DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION proof_gate()`

// gateConn is a connection that does not go through the faulty network.
type gateConn struct{ conn *pgx.Conn }

// arrival bounds the wait for a transaction at the gate.
const arrival = 10 * time.Second

func (k gateConn) exec(ctx context.Context, sql string) error {
	_, err := k.conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

// await returns when a transaction waits at the gate.
func (k gateConn) await(ctx context.Context) error {
	return lab.Await(ctx, arrival, func(ctx context.Context) error {
		var waits bool
		err := k.conn.QueryRow(ctx, `SELECT EXISTS (
			SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))`).Scan(&waits)
		if err == nil && !waits {
			err = fmt.Errorf("no transaction came to the gate")
		}
		return err
	})
}
