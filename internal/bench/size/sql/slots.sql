-- Slots, with the versions that the ledger has and the counters that the bookings give. No
-- trigger runs, and nothing is left to the workers: all is cancelled that was to be.
INSERT INTO slots (id, event_id, starts_at, ends_at, capacity, status, revision, version, seats_taken, waitlist_length, waitlist_ready,
                   has_queue, freed_version, created_at, updated_at, cancelled_at, bookings_cancelled_at)
SELECT s.id, s.event_id, s.starts_at, s.ends_at, s.capacity, CASE WHEN s.cancelled_by IS NULL THEN 'open' ELSE 'cancelled' END,
       1 + s.edits, l.version, coalesce(b.taken, 0), coalesce(b.waiting, 0), coalesce(b.waiting, 0),
       coalesce(b.waiting, 0) > 0, coalesce(l.freed, 0), s.created_at, coalesce(c.cancelled_at, s.created_at), c.cancelled_at, c.cancelled_at
FROM fill.slots s
CROSS JOIN LATERAL (SELECT CASE WHEN s.cancelled_by IS NOT NULL THEN s.cancelled_at END AS cancelled_at) c
JOIN (
    SELECT slot_id, max(version) AS version, max(version) FILTER (WHERE kind IN ('edited', 'cancelled') AND cause_version IS NULL OR kind LIKE '%\_cancelled') AS freed
    FROM ledger
    GROUP BY slot_id
) l ON l.slot_id = s.id
LEFT JOIN (
    SELECT key, sum(seats) FILTER (WHERE takes_seats(status)) AS taken, count(*) FILTER (WHERE status = 'waitlisted') AS waiting
    FROM fill.bookings
    GROUP BY key
) b ON b.key = s.key
ORDER BY s.key;
