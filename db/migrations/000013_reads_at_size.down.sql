DROP INDEX IF EXISTS users_by_role;

CREATE INDEX IF NOT EXISTS events_by_organizer ON events (organizer_id, id);
DROP INDEX IF EXISTS events_by_organizer_and_creation;
DROP INDEX IF EXISTS events_by_organizer_and_start;
DROP INDEX IF EXISTS events_without_start;
DROP INDEX IF EXISTS events_by_span;
DROP INDEX IF EXISTS events_by_week;
DROP FUNCTION week_of(timestamptz);

DROP INDEX IF EXISTS bookings_replacing;
CREATE INDEX IF NOT EXISTS bookings_by_user ON bookings (user_id, id);
DROP INDEX IF EXISTS bookings_by_user_and_time;
CREATE INDEX IF NOT EXISTS bookings_by_slot ON bookings (slot_id, id);
DROP INDEX IF EXISTS bookings_by_slot_and_status;
