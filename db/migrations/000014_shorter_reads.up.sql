-- More lists that cost the same whatever else there is. On a large database, build the
-- indexes by hand first, with CONCURRENTLY.

-- The period of four weeks in which a time is. For a list by creation of the events that
-- start within some time: the first of each period, merged. It replaces week_of and
-- events_by_week, which the previous version reads: the next release may drop them.
CREATE OR REPLACE FUNCTION period_of(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('28 days', at, '2001-01-01T00:00:00Z');

CREATE INDEX IF NOT EXISTS events_by_period ON events (period_of(starts_at), created_at, id, starts_at);

-- The slots at a time: where somebody who waits may have other seats.
CREATE INDEX IF NOT EXISTS slots_by_time ON slots USING gist (during);

-- Whether a user has seats at some time, other than those that a waiting booking would give
-- back: what blocker_of looks for, for many. The times are compared one by one, because an
-- index on them takes a fraction of the time of the one for &&.
CREATE FUNCTION is_busy(of_user uuid, at_times tstzrange, replaces uuid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (
        SELECT true FROM bookings o
        WHERE o.user_id = of_user AND takes_seats(o.status)
          AND lower(o.during) < upper(at_times) AND upper(o.during) > lower(at_times)
          AND o.id IS DISTINCT FROM given_back(replaces)
        LIMIT 1) IS NOT NULL
$$;

-- Whether seats are free that those who wait do not take, and no promotion is due: it found
-- nobody to serve. A booking changes it rarely, so it can have an index (see 000012).
ALTER TABLE slots ADD is_held_up boolean NOT NULL DEFAULT false;

CREATE FUNCTION slots_note_held_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.is_held_up := NOT NEW.is_held_up;
    RETURN NEW;
END $$;

CREATE TRIGGER slots_note_held_up BEFORE INSERT OR UPDATE ON slots
    FOR EACH ROW WHEN (NEW.is_held_up <> (
        NEW.waitlist_ready > 0 AND NEW.seats_taken < NEW.capacity AND NEW.promotion_due_at IS NULL AND NEW.status <> 'cancelled'))
    EXECUTE FUNCTION slots_note_held_up();

CREATE INDEX slots_held_up ON slots (starts_at) WHERE is_held_up;
-- The trigger notes them.
UPDATE slots SET is_held_up = is_held_up
WHERE has_queue AND waitlist_ready > 0 AND seats_taken < capacity AND promotion_due_at IS NULL AND status <> 'cancelled';
