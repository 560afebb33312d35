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

// FullSlots describes slots without a free seat: each has Seated bookings of one
// seat, and Waiting bookings on its waitlist, all of different users.
type FullSlots struct {
	Slots, Seated, Waiting int
	// Expires makes the seated bookings holds that end then. Zero means that they
	// are confirmed.
	Expires time.Time
}

// InsertFullSlots inserts full slots into an event, with their ledgers, as if the
// desk had taken one booking after the other. It takes seconds for many thousands.
func InsertFullSlots(t testing.TB, pool *pgxpool.Pool, eventID uuid.UUID, c FullSlots) {
	t.Helper()
	status, expires := seating.Confirmed, (*time.Time)(nil)
	if !c.Expires.IsZero() {
		status, expires = seating.Held, &c.Expires
	}
	must(t, postgres.InTx(context.Background(), pool, func(tx pgx.Tx) error {
		for _, sql := range fullSlotsSQL {
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

// fullSlotsSQL numbers the users of each slot in the order in which they booked.
var fullSlotsSQL = []string{
	"SET LOCAL statement_timeout = '5min'",
	`CREATE TEMPORARY TABLE full_slots ON COMMIT DROP AS
		SELECT slot.id AS slot_id, gen_random_uuid() AS user_id, gen_random_uuid() AS id, number,
		       tstzrange(date_trunc('hour', now()) + interval '24 hours', date_trunc('hour', now()) + interval '26 hours') AS during
		FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, @slots::int) OFFSET 0) slot,
		     generate_series(1, @seated::int + @waiting::int) number`,
	`INSERT INTO users (id, email, name, password_hash, role)
		SELECT user_id, user_id || '@test.com', 'Some One', '', 'attendee' FROM full_slots`,
	`INSERT INTO slots (id, event_id, starts_at, ends_at, capacity, version, seats_taken, waitlist_length, waitlist_ready)
		SELECT DISTINCT slot_id, @event::uuid, lower(during), upper(during), @seated::int, 1 + @seated::int + @waiting::int, @seated::int, @waiting::int, @waiting::int
		FROM full_slots`,
	`INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, expires_at, created_at, updated_at)
		SELECT id, slot_id, user_id, during, 1, CASE WHEN number <= @seated::int THEN @status::text ELSE 'waitlisted' END, 1 + number,
		       CASE WHEN number > @seated::int THEN 1 + number END, CASE WHEN number <= @seated::int THEN @expires::timestamptz END, now(), now()
		FROM full_slots`,
	`INSERT INTO ledger (slot_id, version, kind, capacity, seats_taken, waitlist_length, actor, at)
		SELECT DISTINCT slot_id, 1, 'opened', @seated::int, 0, 0, 'system', now() FROM full_slots`,
	`INSERT INTO ledger (slot_id, version, kind, booking_id, user_id, seats, status, capacity, seats_taken, waitlist_length, actor, actor_id, at)
		SELECT slot_id, 1 + number, CASE WHEN number <= @seated::int THEN @status::text ELSE 'waitlisted' END, id, user_id, 1,
		       CASE WHEN number <= @seated::int THEN @status::text ELSE 'waitlisted' END, @seated::int,
		       least(number, @seated::int), greatest(number - @seated::int, 0), 'attendee', user_id, now()
		FROM full_slots`,
}
