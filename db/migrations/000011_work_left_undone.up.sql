-- What a lost job has left undone, the ticker does. These are its worklists: they are
-- short, and empty as a rule.

-- When the bookings of a deleted user were all cancelled; null until then, also for users
-- who were deleted before this column: they are looked at once.
ALTER TABLE users ADD bookings_cancelled_at timestamptz;
CREATE INDEX users_leaving ON users (id) WHERE deleted_at IS NOT NULL AND bookings_cancelled_at IS NULL;

-- Bookings that wait for a larger capacity.
CREATE INDEX IF NOT EXISTS bookings_waiting_for_capacity ON bookings (slot_id) WHERE blocked = 'capacity';

-- Whether a booking is cancelled with its user, who was deleted at that time: any live one
-- but a confirmed one whose slot had ended, or that was checked in and whose slot had
-- started. PostgreSQL inlines the function, as it does is_live.
CREATE FUNCTION leaves_with_user(status text, during tstzrange, checked_in_at timestamptz, deleted_at timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN status IN ('waitlisted', 'held', 'offered', 'confirmed')
        AND NOT (status = 'confirmed' AND (upper(during) <= deleted_at OR checked_in_at IS NOT NULL AND lower(during) <= deleted_at));
