-- Lists that cost the same whatever else there is. On a large database, build the indexes
-- by hand first, with CONCURRENTLY.

-- A slot's bookings by status, each in the order in which they were made. It does not
-- replace bookings_live_by_slot: with few bookings in mind, the planner finds the live ones
-- by the slot alone, and reads all that were cancelled.
CREATE INDEX IF NOT EXISTS bookings_by_slot_and_status ON bookings (slot_id, status, id);
DROP INDEX IF EXISTS bookings_by_slot;

-- A user's bookings by status, each by their times.
CREATE INDEX IF NOT EXISTS bookings_by_user_and_time ON bookings (user_id, status, lower(during), upper(during));
DROP INDEX IF EXISTS bookings_by_user;

-- The few of a queue who would give a booking back: an ordinary booking is not in it.
CREATE INDEX IF NOT EXISTS bookings_replacing ON bookings (slot_id, queued_version)
    WHERE status = 'waitlisted' AND replaces_booking_id IS NOT NULL;

-- The week in which a time is. For a list by creation of the events that start within some
-- time: the first of each week, merged.
CREATE OR REPLACE FUNCTION week_of(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('7 days', at, '2001-01-01T00:00:00Z');

CREATE INDEX IF NOT EXISTS events_by_week ON events (week_of(starts_at), created_at, id, starts_at);

-- The events that go on at a time.
CREATE INDEX IF NOT EXISTS events_by_span ON events USING gist (tstzrange(starts_at, ends_at))
    WHERE starts_at IS NOT NULL;

CREATE INDEX IF NOT EXISTS events_without_start ON events (created_at, id) WHERE starts_at IS NULL;

CREATE INDEX IF NOT EXISTS events_by_organizer_and_start ON events (organizer_id, starts_at, id);
CREATE INDEX IF NOT EXISTS events_by_organizer_and_creation ON events (organizer_id, created_at, id, starts_at);
DROP INDEX IF EXISTS events_by_organizer;

CREATE INDEX IF NOT EXISTS users_by_role ON users (role, id) WHERE deleted_at IS NULL;
