-- The queue of a slot as people read it. Promotion itself is in seating.sql.

-- Whose slot it is.
-- name: SlotOrganizerGet :one
SELECT e.organizer_id, e.status
FROM slots s
JOIN events e ON e.id = s.event_id
WHERE s.id = @id;

-- Those who wait for a slot, in the order of the queue. A page is a stretch of
-- it without gaps, so the places are counted once, before the page.
-- name: WaitlistOfSlot :many
SELECT sqlc.embed(b), s.event_id,
       ((SELECT count(*) FROM bookings a
         WHERE a.slot_id = @slot_id AND a.status = 'waitlisted' AND a.queued_version <= @after_version::bigint)
        + row_number() OVER (ORDER BY b.queued_version))::bigint AS position
FROM bookings b
JOIN slots s ON s.id = b.slot_id
WHERE b.slot_id = @slot_id AND b.status = 'waitlisted' AND b.queued_version > @after_version::bigint
ORDER BY b.queued_version
LIMIT @page::int;

-- Where a booking waits, with everything that explains it, as of one moment.
-- Who is ready is not blocked. holdup_seats are the seats of the first booking
-- ahead that does not fit and lets nobody pass; 0: there is none.
-- name: WaitlistPositionGet :one
SELECT sqlc.embed(b), e.organizer_id, e.fit,
       s.capacity, s.seats_taken, s.status AS slot_status, s.version AS slot_version, s.freed_version,
       (s.starts_at <= clock_timestamp())::boolean AS started,
       ahead.bookings_ahead, ahead.seats_ahead, ahead.ready_bookings_ahead, ahead.ready_seats_ahead,
       coalesce((
           SELECT h.seats FROM bookings h
           WHERE b.status = 'waitlisted'
             AND h.slot_id = b.slot_id AND h.status = 'waitlisted' AND h.blocked IS NULL
             AND h.queued_version < b.queued_version
             AND h.seats > s.capacity - s.seats_taken
             AND (e.fit = 'strict' OR h.passes >= e.max_passes)
           ORDER BY h.queued_version
           LIMIT 1), 0)::int AS holdup_seats,
       coalesce((
           SELECT max(l.version) FROM ledger l
           WHERE l.booking_id = b.id AND l.slot_id = b.slot_id AND l.kind = 'blocked'), 0)::bigint AS blocked_version
FROM bookings b
JOIN slots s ON s.id = b.slot_id
JOIN events e ON e.id = s.event_id
CROSS JOIN LATERAL (
    SELECT count(*) AS bookings_ahead,
           coalesce(sum(a.seats), 0)::bigint AS seats_ahead,
           count(*) FILTER (WHERE a.blocked IS NULL) AS ready_bookings_ahead,
           coalesce(sum(a.seats) FILTER (WHERE a.blocked IS NULL), 0)::bigint AS ready_seats_ahead
    FROM bookings a
    WHERE b.status = 'waitlisted'
      AND a.slot_id = b.slot_id AND a.status = 'waitlisted' AND a.queued_version < b.queued_version
) ahead
WHERE b.id = @id;
