-- What a lost job has left undone, the ticker does. These are its worklists: they are
-- short, and empty as a rule.

-- When the bookings of a deleted user were all cancelled; null until then, also for users
-- who were deleted before this column: they are looked at once.
ALTER TABLE users ADD bookings_cancelled_at timestamptz;
CREATE INDEX users_leaving ON users (id) WHERE deleted_at IS NOT NULL AND bookings_cancelled_at IS NULL;

-- Bookings that wait for a larger capacity.
CREATE INDEX IF NOT EXISTS bookings_waiting_for_capacity ON bookings (slot_id) WHERE blocked = 'capacity';
