package seed

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/gen/db"
	"eventbooking/internal/postgres"
)

// ErrNotSeeded is returned for a database without the data of a seed.
var ErrNotSeeded = errors.New("the database has no data of this seed: run eventbooking seed, or pass the --seed that it was run with")

// Recall returns what to try with a database that was seeded with a number, whatever
// has happened in it since. It makes the same world again, without its histories being
// written: the ids of the first event follow from the number and the day, and the time
// from when the event's first booking was made, which the ledger keeps for good.
func Recall(ctx context.Context, pool *pgxpool.Pool, number int64) (Report, error) {
	q := db.New()
	registered, err := q.SeedFirstUser(ctx, pool)
	if err != nil {
		return Report{}, errRecall(err)
	}
	noon := registered.UTC().AddDate(0, 0, firstUserDays).Truncate(dayLong).Add(dayLong / 2)
	// Late in the evening (UTC) it was tomorrow already where the events are.
	for _, day := range []time.Time{noon, noon.Add(dayLong/2 - time.Second)} {
		w, err := newWorld(number, 0, day)
		if err != nil {
			return Report{}, err
		}
		booked, err := q.SeedFirstBooking(ctx, pool, w.events[0].slots[0])
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return Report{}, errRecall(err)
		}
		now := booked.UTC().Add(firstBookingAgo)
		w, err = newWorld(number, 0, now)
		return Report{Number: number, Now: now, Scenarios: w.scenarios}, err
	}
	return Report{}, ErrNotSeeded
}

func errRecall(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotSeeded
	}
	return postgres.Translate(err)
}
