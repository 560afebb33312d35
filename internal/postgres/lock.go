package postgres

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/jackc/pgx/v5"
)

// Lock takes a named lock of the database, for work that one process does at a
// time, such as migrating or seeding. It waits until the lock is free or ctx ends.
// unlock releases it; so does the end of the process. Errors are an url that is no
// PostgreSQL address, fault.DatabaseUnavailable, or the error of ctx.
//
// The lock is a transaction's advisory lock on a connection of its own. A
// session's would not do: behind a pooler, the next statement may run in another
// session, and the lock would stay with a session that nobody unlocks.
func Lock(ctx context.Context, url, name string) (unlock func(), err error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return nil, Translate(err)
	}
	unlock = func() {
		// Closing ends the transaction, and with it the lock.
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = conn.Close(closing)
	}
	// Without timeouts: none may end the wait, nor the idle transaction while the
	// work goes on in other connections.
	if _, err := conn.Exec(ctx, fmt.Sprintf("%s; %s; SELECT pg_advisory_xact_lock(%d)",
		Begin, Timeouts{}.SQL(), lockKey(name))); err != nil {
		unlock()
		return nil, fmt.Errorf("lock %s: %w", name, Translate(err))
	}
	return unlock, nil
}

func lockKey(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("eventbooking:" + name))
	return int64(h.Sum64())
}
