package postgres

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/jackc/pgx/v5"
)

// Lock waits, as long as ctx lasts, until this process alone holds the named
// lock of the database, for work that only one may do at start: migrating,
// seeding. unlock gives it back; so does the end of the process.
//
// It is held by a transaction on a connection of its own, not by a session:
// behind a pooler, sessions are not ours.
func Lock(ctx context.Context, url, name string) (unlock func(), err error) {
	config, err := parse(url)
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
	// No timeout of the database's own may end the wait, or the lock while the
	// work goes on elsewhere.
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
