-- Bookings, with the versions that the ledger has.
INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, queued_version, expires_at, checked_in_at, checked_in_by,
                      cancellation_closes_minutes, created_at, updated_at)
SELECT b.id, b.slot_id, b.user_id, tstzrange(b.starts_at, b.ends_at, '[)'), b.seats, b.status, l.version, l.queued,
       CASE WHEN b.status IN ('held', 'offered') THEN b.now + (b.starts_at - b.now) * (0.5 + 0.5 * fill.dice(b.n, 14)) END,
       CASE WHEN b.attended THEN b.checked_in_at END, CASE WHEN b.attended THEN b.organizer_id END,
       e.cancellation_closes_minutes, b.created_at, b.created_at
FROM fill.bookings b
JOIN (
    SELECT booking_id, max(version) AS version, max(version) FILTER (WHERE kind = 'waitlisted') AS queued
    FROM ledger
    WHERE booking_id IS NOT NULL
    GROUP BY booking_id
) l ON l.booking_id = b.id
JOIN slots s ON s.id = b.slot_id
JOIN events e ON e.id = s.event_id
ORDER BY b.n;
