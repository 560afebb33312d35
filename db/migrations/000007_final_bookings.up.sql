-- What was attended, or can no longer be attended, is never rewritten.

-- Whether a booking was final at a time: confirmed, and its slot had ended, or its
-- attendee was checked in and the slot had started. Package seating decides the same
-- (Booking.isFinal).
CREATE FUNCTION is_final(status text, checked_in_at timestamptz, during tstzrange, as_of timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN status = 'confirmed' AND (upper(during) <= as_of OR (checked_in_at IS NOT NULL AND lower(during) <= as_of));

-- When the slot was cancelled, by itself or with its event: its bookings that were final
-- then stay. Null where the slot is not cancelled, or was by a version that does not
-- know the column.
ALTER TABLE slots ADD cancelled_at timestamptz;

UPDATE slots s
SET cancelled_at = coalesce(e.cancelled_at, s.updated_at)
FROM events e
WHERE e.id = s.event_id AND s.status = 'cancelled';

UPDATE slots s
SET cancelled_at = least(s.cancelled_at, l.at)
FROM ledger l
WHERE s.status = 'cancelled' AND l.slot_id = s.id AND l.version = s.freed_version;

-- replaced_by names the booking that took its place, by a move as well: those who wait
-- for seats instead of a moved booking give back the one that it was moved to.
UPDATE bookings old
SET replaced_by = new.id
FROM bookings new
WHERE new.moved_from = old.id AND old.replaced_by IS NULL;
