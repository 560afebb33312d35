-- More lists that cost the same whatever else there is. On a large database, build the
-- indexes by hand first, with CONCURRENTLY.

-- The period of four weeks in which a time is. For a list by creation of the events that
-- start within some time: the first of each period, merged. It replaces week_of and
-- events_by_week, which the previous version reads: the next release may drop them.
CREATE OR REPLACE FUNCTION period_of(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('28 days', at, '2001-01-01T00:00:00Z');

CREATE INDEX IF NOT EXISTS events_by_period ON events (period_of(starts_at), created_at, id, starts_at);
