//go:build unix

package testkit

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventbooking/internal/postgres"
	"eventbooking/internal/seating"
)

// Crowd is what happens in many slots alike: all seats are taken, by bookings of
// one seat of different users, and others wait for one.
type Crowd struct {
	Slots, Seated, Waiting int
	// Expires is when the holds of those with seats end; zero: they are confirmed.
	Expires time.Time
}

// Gather writes a crowd into an event, with its ledger, as the desk would have
// come to it booking by booking.
func Gather(t testing.TB, pool *pgxpool.Pool, eventID uuid.UUID, c Crowd) {
	t.Helper()
	status, expires := seating.Confirmed, (*time.Time)(nil)
	if !c.Expires.IsZero() {
		status, expires = seating.Held, &c.Expires
	}
	must(t, postgres.InTx(context.Background(), pool, func(tx pgx.Tx) error {
		for _, sql := range crowdSQL {
			if _, err := tx.Exec(context.Background(), sql, pgx.NamedArgs{
				"event": eventID, "slots": c.Slots, "seated": c.Seated, "waiting": c.Waiting,
				"status": string(status), "expires": expires,
			}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// crowdSQL numbers the people of each slot: that is when they came.
var crowdSQL = []string{
	"SET LOCAL statement_timeout = '5min'",
	`CREATE TEMPORARY TABLE gathered ON COMMIT DROP AS
		SELECT slot.id AS slot_id, gen_random_uuid() AS user_id, gen_random_uuid() AS id, place,
		       tstzrange(date_trunc('hour', now()) + interval '24 hours', date_trunc('hour', now()) + interval '26 hours') AS during
		FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, @slots::int) OFFSET 0) slot,
		     generate_series(1, @seated::int + @waiting::int) place`,
	`INSERT INTO users (id, email, name, password_hash, role)
		SELECT user_id, user_id || '@test.com', 'Some One', '', 'attendee' FROM gathered`,
	`INSERT INTO slots (id, event_id, starts_at, ends_at, capacity, version, seats_taken, waitlist_length, waitlist_ready)
		SELECT DISTINCT slot_id, @event::uuid, lower(during), upper(during), @seated::int, 1 + @seated::int + @waiting::int, @seated::int, @waiting::int, @waiting::int
		FROM gathered`,
	`INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, expires_at, created_at, updated_at)
		SELECT id, slot_id, user_id, during, 1, CASE WHEN place <= @seated::int THEN @status::text ELSE 'waitlisted' END, 1 + place,
		       CASE WHEN place > @seated::int THEN 1 + place END, CASE WHEN place <= @seated::int THEN @expires::timestamptz END, now(), now()
		FROM gathered`,
	`INSERT INTO ledger (slot_id, version, kind, capacity, seats_taken, waitlist_length, actor, at)
		SELECT DISTINCT slot_id, 1, 'opened', @seated::int, 0, 0, 'system', now() FROM gathered`,
	`INSERT INTO ledger (slot_id, version, kind, booking_id, user_id, seats, status, capacity, seats_taken, waitlist_length, actor, actor_id, at)
		SELECT slot_id, 1 + place, CASE WHEN place <= @seated::int THEN @status::text ELSE 'waitlisted' END, id, user_id, 1,
		       CASE WHEN place <= @seated::int THEN @status::text ELSE 'waitlisted' END, @seated::int,
		       least(place, @seated::int), greatest(place - @seated::int, 0), 'attendee', user_id, now()
		FROM gathered`,
}
