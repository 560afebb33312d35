-- The ledger: what happened in a slot, in the order of seq; version, seats_taken and
-- waitlist_length are counted from that. Of a booking, all steps before the wait for
-- seats come one after the other. back is how many entries before the cause is.
INSERT INTO ledger (slot_id, version, kind, booking_id, user_id, seats, status, capacity, seats_taken, waitlist_length,
                    reason, actor, actor_id, cause_slot_id, cause_version, at)
SELECT slot_id, version, kind, booking_id, user_id, seats, status, capacity, seats_taken, waitlist_length,
       CASE WHEN kind LIKE '%\_cancelled' OR back > 1 THEN 'illness' END,
       actor, actor_id, CASE WHEN back > 0 THEN slot_id END, version - back, at
FROM (
    SELECT x.*, row_number() OVER log AS version, sum(x.taken_more) OVER log AS seats_taken, sum(x.waiting_more) OVER log AS waitlist_length
    FROM (
        SELECT key, 0 AS seq, id AS slot_id, 'opened' AS kind, NULL::uuid AS booking_id, NULL::uuid AS user_id, 0 AS seats, NULL AS status,
               capacity + edits AS capacity, 'organizer' AS actor, organizer_id AS actor_id, NULL::int AS back, created_at AS at,
               0 AS taken_more, 0 AS waiting_more
        FROM fill.slots
        UNION ALL
        SELECT key, e, id, 'edited', NULL, NULL, 0, NULL, capacity + edits - e, 'organizer', organizer_id, NULL, created_at + e * interval '1 second', 0, 0
        FROM fill.slots CROSS JOIN LATERAL generate_series(1, edits) AS e
        UNION ALL
        SELECT key, 90000, id, cancelled_by, NULL, NULL, 0, NULL, capacity,
               CASE cancelled_by WHEN 'event_cancelled' THEN 'system' ELSE 'organizer' END,
               CASE cancelled_by WHEN 'event_cancelled' THEN NULL ELSE organizer_id END, NULL, cancelled_at, 0, 0
        FROM fill.slots WHERE cancelled_by IS NOT NULL
        UNION ALL
        SELECT b.key, b.seq, b.slot_id, b.kind, b.id, b.user_id, b.seats, b.status, s.capacity,
               b.actor, CASE b.actor WHEN 'attendee' THEN b.user_id WHEN 'organizer' THEN b.organizer_id END, b.back, b.at, b.taken_more, b.waiting_more
        FROM (
            SELECT key, 10 + i * 20 AS seq, slot_id, 'held' AS kind, id, user_id, organizer_id, 1 AS seats, 'held' AS status,
                   'attendee' AS actor, NULL::int AS back, created_at AS at, 1 AS taken_more, 0 AS waiting_more
            FROM fill.bookings WHERE held
            UNION ALL
            SELECT key, 11 + i * 20, slot_id, 'expired', id, user_id, organizer_id, 1, 'expired', 'system', NULL, created_at + interval '10 minutes', -1, 0
            FROM fill.bookings WHERE life = 'lapsed'
            UNION ALL
            SELECT key, 11 + i * 20, slot_id, 'confirmed', id, user_id, organizer_id, 1, 'confirmed',
                   'attendee', CASE WHEN held THEN 1 END, created_at + interval '1 minute', CASE WHEN held THEN 0 ELSE 1 END, 0
            FROM fill.bookings WHERE life IN ('seated', 'left', 'removed')
            UNION ALL
            SELECT key, 11 + i * 20 + r, slot_id, 'resized', id, user_id, organizer_id, 1 + r % 2, 'confirmed',
                   'attendee', NULL, created_at + (1 + r) * interval '1 minute', CASE r % 2 WHEN 1 THEN 1 ELSE -1 END, 0
            FROM fill.bookings CROSS JOIN LATERAL generate_series(1, resizes) AS r
            UNION ALL
            SELECT b.key, 90001 + b.i, b.slot_id, 'cancelled', b.id, b.user_id, b.organizer_id, b.seats, 'cancelled', 'system', b.i + 1, s.cancelled_at, -b.seats, 0
            FROM fill.bookings b JOIN fill.slots s ON s.key = b.key WHERE b.life = 'removed'
            UNION ALL
            SELECT key, 100000 + i, slot_id, 'waitlisted', id, user_id, organizer_id, 1, 'waitlisted', 'attendee', NULL, created_at, 0, 1
            FROM fill.bookings WHERE waited
            UNION ALL
            -- In a full slot the first booking leaves, and the first who waits gets its seat.
            SELECT key, 200000 + i, slot_id, 'cancelled', id, user_id, organizer_id, seats, 'cancelled', 'attendee', NULL,
                   created_at + (least(starts_at, now) - created_at) * 0.4, -seats, 0
            FROM fill.bookings WHERE life = 'left'
            UNION ALL
            SELECT key, 200001, slot_id, CASE life WHEN 'promoted' THEN 'promoted' ELSE 'offered' END, id, user_id, organizer_id, 1, status, 'system', 1,
                   created_at + (least(starts_at, now) - created_at) * 0.4, 1, -1
            FROM fill.bookings WHERE life IN ('promoted', 'offered')
            UNION ALL
            SELECT key, 300000 + i, slot_id, 'expired', id, user_id, organizer_id, 1, 'expired', 'system', NULL, starts_at, 0, -1
            FROM fill.bookings WHERE life = 'missed'
            UNION ALL
            SELECT key, 400000 + i, slot_id, 'checked_in', id, user_id, organizer_id, seats, 'confirmed', 'organizer', NULL, checked_in_at, 0, 0
            FROM fill.bookings WHERE attended
        ) b
        JOIN fill.slots s ON s.key = b.key
    ) x
    WINDOW log AS (PARTITION BY x.key ORDER BY x.seq)
) entries;
