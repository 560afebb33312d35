-- The seeder's queries (internal/seed). It writes with COPY.

-- Keeps others from writing what the seeder replaces.
-- The ledger is not among them: whoever writes it changes a slot's version, and a role that
-- serves may not lock what it may not change.
-- name: SeedLock :exec
LOCK TABLE users, events, slots, bookings IN SHARE ROW EXCLUSIVE MODE;

-- Whether a database is empty.
-- name: SeedEmpty :one
SELECT (NOT EXISTS (SELECT FROM users) AND NOT EXISTS (SELECT FROM events) AND NOT EXISTS (SELECT FROM ledger))::bool AS empty;

-- Whether a database has anything that the seeder did not make: the third group of the
-- seeder's ids is 75ed.
-- name: SeedOthers :one
SELECT (EXISTS (SELECT FROM users WHERE substr(id::text, 15, 4) <> '75ed')
        OR EXISTS (SELECT FROM events WHERE substr(id::text, 15, 4) <> '75ed')
        OR EXISTS (SELECT FROM slots WHERE substr(id::text, 15, 4) <> '75ed')
        OR EXISTS (SELECT FROM bookings WHERE substr(id::text, 15, 4) <> '75ed')
        OR EXISTS (SELECT FROM ledger WHERE substr(slot_id::text, 15, 4) <> '75ed'))::bool AS others;

-- name: SeedClock :one
SELECT clock_timestamp()::timestamptz AS now;

-- When the first seeded user registered; no row if nothing is seeded.
-- name: SeedFirstUser :one
SELECT min(created_at)::timestamptz AS created_at FROM users WHERE substr(id::text, 15, 4) = '75ed' HAVING count(*) > 0;

-- When the first booking of a slot was made.
-- name: SeedFirstBooking :one
SELECT min(at)::timestamptz AS at FROM ledger WHERE slot_id = $1 AND booking_id IS NOT NULL HAVING count(*) > 0;
