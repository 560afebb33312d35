package postgres

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/jackc/pgx/v5"
)

// LockTx takes a named lock of the database, for work that one process does at a
// time, such as migrating or seeding. It waits until the lock is free or ctx ends.
// The end of the transaction releases it, and so does the end of the process. The
// transaction has no timeouts from then on.
//
// The lock belongs to the transaction that does the work. A session's would not do:
// behind a pooler, the next statement may run in another session, and the lock would
// stay with one that nobody unlocks. Nor would a transaction beside the work: it would
// need a second connection, and where there is only one, wait for it forever.
func LockTx(ctx context.Context, tx pgx.Tx, name string) error {
	h := fnv.New64a()
	_, _ = h.Write([]byte("eventbooking:" + name))
	// Without timeouts: none may end the wait.
	if _, err := tx.Exec(ctx, fmt.Sprintf("%s; SELECT pg_advisory_xact_lock(%d)", Timeouts{}.SQL(), int64(h.Sum64()))); err != nil {
		return fmt.Errorf("lock %s: %w", name, Translate(err))
	}
	return nil
}
