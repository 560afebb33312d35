//go:build unix

package crowd

import (
	"context"
	"fmt"
	"maps"
	"time"

	"eventbooking/internal/proof/lab"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Record is what there is of a crowd, by what it was told or by what the database
// has: its bookings, true for the live ones, and the keys of what it asked for.
type Record struct {
	Bookings map[uuid.UUID]bool
	Keys     map[string]bool
}

func newRecord() Record {
	return Record{Bookings: map[uuid.UUID]bool{}, Keys: map[string]bool{}}
}

// answerBound is how long an answer may take at most: the deadline of a request,
// and, for what the desk took just before it, that of its batch and of COMMIT.
const answerBound = 22 * time.Second

// Check holds what the crowd was told against what the database has. Nobody may
// be in doubt, and nobody may have waited too long.
func (c *Crowd) Check(ctx context.Context, databaseURL string) error {
	told := newRecord()
	ids := make([]uuid.UUID, len(c.attendees))
	for i, a := range c.attendees {
		if a.open != nil {
			return fmt.Errorf("%s is in doubt about %s", a.id, a.open)
		}
		ids[i] = a.id
		maps.Copy(told.Bookings, a.told.Bookings)
		maps.Copy(told.Keys, a.told.Keys)
	}
	stored, err := load(ctx, databaseURL, ids)
	if err != nil {
		return fmt.Errorf("read what the database has: %w", err)
	}
	if differences := Compare(told, stored); len(differences) > 0 {
		return lab.Broken(fmt.Errorf("%d differences, first: %s", len(differences), differences[0]))
	}
	if slowest := c.Tally().Slowest; slowest > answerBound {
		return lab.Broken(fmt.Errorf("an answer took %s", slowest))
	}
	return nil
}

func load(ctx context.Context, databaseURL string, ids []uuid.UUID) (Record, error) {
	stored := newRecord()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return stored, err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, _ := conn.Query(ctx, "SELECT id, status IN ('confirmed', 'waitlisted') FROM bookings WHERE user_id = ANY($1)", ids)
	var id uuid.UUID
	var live bool
	if _, err := pgx.ForEachRow(rows, []any{&id, &live}, func() error {
		stored.Bookings[id] = live
		return nil
	}); err != nil {
		return stored, err
	}
	rows, _ = conn.Query(ctx, "SELECT key FROM idempotency_keys WHERE user_id = ANY($1)", ids)
	var key string
	_, err = pgx.ForEachRow(rows, []any{&key}, func() error {
		stored.Keys[key] = true
		return nil
	})
	return stored, err
}

// Compare finds what was acknowledged and is not there, and what is there and was
// never acknowledged.
func Compare(told, stored Record) (differences []string) {
	differ := func(format string, args ...any) { differences = append(differences, fmt.Sprintf(format, args...)) }
	for id, live := range told.Bookings {
		switch found, there := stored.Bookings[id]; {
		case !there:
			differ("booking %s was acknowledged and is lost", id)
		case live && !found:
			differ("booking %s was acknowledged and is final, though nobody was told that it was cancelled", id)
		case !live && found:
			differ("the cancellation of booking %s was acknowledged and is lost", id)
		}
	}
	for id := range stored.Bookings {
		if _, ok := told.Bookings[id]; !ok {
			differ("booking %s is there and nobody was told: a refused request had an effect, or one had two", id)
		}
	}
	for key := range told.Keys {
		if !stored.Keys[key] {
			differ("the answer to the key %s was given and is lost", key)
		}
	}
	for key := range stored.Keys {
		if !told.Keys[key] {
			differ("the key %s has an answer that nobody got: a refused request had an effect", key)
		}
	}
	return differences
}
