-- Moved slots, cancellation periods of single bookings, who checked somebody in, and
-- bookings of running slots.

ALTER TABLE ledger
    -- Of an edit of a slot's times: the times before and after it.
    ADD old_starts_at timestamptz,
    ADD old_ends_at   timestamptz,
    ADD new_starts_at timestamptz,
    ADD new_ends_at   timestamptz,
    ADD CONSTRAINT ledger_times CHECK (num_nulls(old_starts_at, old_ends_at, new_starts_at, new_ends_at) IN (0, 4)),
    ADD CONSTRAINT ledger_times_of_edits CHECK (new_starts_at IS NULL OR (kind = 'edited' AND booking_id IS NULL));

-- The time changes of a slot, for the histories of its bookings.
CREATE INDEX ledger_by_time_change ON ledger (slot_id, version) WHERE new_starts_at IS NOT NULL;

ALTER TABLE bookings
    -- How many minutes before the start cancellation closes for this booking, if the event
    -- has not come to close it later: the event's setting when the booking was made; 0 after
    -- its slot was moved. The default, the largest value, leaves it to the event: the
    -- previous version inserts bookings without it.
    ADD cancellation_closes_minutes integer NOT NULL DEFAULT 525600,
    -- Who checked the attendee in. Like the ledger's actors it has no foreign key. It
    -- counts only where checked_in_at is set: the previous version does not clear it.
    ADD checked_in_by uuid,
    ADD CONSTRAINT bookings_cancellation_closes CHECK (cancellation_closes_minutes BETWEEN 0 AND 525600);

-- Bookings that can still be cancelled keep what they were made under.
UPDATE bookings b
SET cancellation_closes_minutes = e.cancellation_closes_minutes
FROM slots s
JOIN events e ON e.id = s.event_id
WHERE b.slot_id = s.id AND b.status IN ('waitlisted', 'held', 'offered', 'confirmed') AND s.starts_at > now();

UPDATE bookings b
SET checked_in_by = (
    SELECT l.actor_id FROM ledger l
    WHERE l.booking_id = b.id AND l.slot_id = b.slot_id AND l.kind = 'checked_in'
    ORDER BY l.version DESC
    LIMIT 1)
WHERE b.checked_in_at IS NOT NULL;

ALTER TABLE events
    -- Booking stays open while a slot runs.
    ADD walk_ins boolean NOT NULL DEFAULT false;

-- The booking that a waiting one would give back for its seats: the one that it names or,
-- if another one took its place, that one, and so on. Null if there is none, or if its
-- owner could not cancel it any more: because it was checked in, its slot has started, or
-- cancelling has closed. Package seating decides the same (State.replaced). (10:
-- MaxReplacements.)
CREATE FUNCTION given_back(replaces uuid) RETURNS uuid
    LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    WITH RECURSIVE line AS (
        SELECT b.id, b.replaced_by, 0 AS hops FROM bookings b WHERE b.id = replaces
        UNION ALL
        SELECT n.id, n.replaced_by, l.hops + 1 FROM line l JOIN bookings n ON n.id = l.replaced_by WHERE l.hops < 10
    )
    SELECT b.id
    FROM (SELECT id FROM line ORDER BY hops DESC LIMIT 1) last
    JOIN bookings b ON b.id = last.id
    JOIN slots s ON s.id = b.slot_id
    JOIN events e ON e.id = s.event_id
    WHERE takes_seats(b.status) AND b.checked_in_at IS NULL AND s.starts_at > now()
      AND (b.status <> 'confirmed'
           OR s.starts_at - make_interval(mins => least(b.cancellation_closes_minutes, e.cancellation_closes_minutes)) > now())
$$;

-- The booking of the same user that keeps a waiting one from taking seats: it takes seats
-- at an overlapping time and would not be given back. A nil UUID: there is none. Of
-- several it is the one that the waiting booking is marked with, or the oldest.
CREATE FUNCTION blocker_of(of_user uuid, at_times tstzrange, replaces uuid, marked uuid) RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce((
        SELECT o.id FROM bookings o
        WHERE o.user_id = of_user AND o.during && at_times AND takes_seats(o.status)
          AND o.id IS DISTINCT FROM given_back(replaces)
        ORDER BY o.id IS DISTINCT FROM marked, o.id
        LIMIT 1), '00000000-0000-0000-0000-000000000000')
$$;
