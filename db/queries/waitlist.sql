-- The queue of a slot as people read it. Promotions are in seating.sql.

-- The organizer and the status of a slot's event.
-- name: SlotOrganizerGet :one
SELECT e.organizer_id, e.status
FROM slots s
JOIN events e ON e.id = s.event_id
WHERE s.id = @id;

-- The waiting bookings of a slot, in the order of the queue. A page has no gaps, so the
-- positions before it are counted once. blocker and too_large are why a booking could not
-- take seats now: the user's booking that is in the way (a nil UUID: none), or the
-- slot's capacity. They do not wait for a promotion to find that out.
-- name: WaitlistOfSlot :many
SELECT sqlc.embed(b), s.event_id,
       ((SELECT count(*) FROM bookings a
         WHERE a.slot_id = @slot_id AND a.status = 'waitlisted' AND a.queued_version <= @after_version::bigint)
        + row_number() OVER (ORDER BY b.queued_version))::bigint AS position,
       blocker_of(b.user_id, b.during, b.replaces_booking_id, b.blocked_by)::uuid AS blocker,
       (coalesce(b.seats_min, b.seats) > s.capacity)::boolean AS too_large
FROM bookings b
JOIN slots s ON s.id = b.slot_id
WHERE b.slot_id = @slot_id AND b.status = 'waitlisted' AND b.queued_version > @after_version::bigint
ORDER BY b.queued_version
LIMIT @page::int;

-- Where a booking waits, with everything that explains it, in one statement. ready means
-- that a booking could take its seats if they were free: the slot is large enough and the
-- user is not busy. Whether a promotion has found that out and marked the booking does not
-- matter. blocker is the user's own booking that is in the way; a nil UUID: none.
--
-- Whether somebody ahead is busy is looked up once for each: OFFSET 0 keeps the planner
-- from doing so for each sum. The times are compared one by one, because an index on them
-- takes a fraction of the time of the one for &&.
--
-- oversized_ahead is how many ready bookings ahead need more seats than are free, and
-- holdup_seats what the first of them needs that nobody may pass; 0: there is none.
--
-- short_version is the entry since which too few seats have been free for this booking,
-- heldup_version the one since which enough have been free for it and too few for the
-- holdup; 0: not among the last ten thousand entries. Both read the ledger from its end
-- until the last entry at which that was not so.
--
-- passed_… are the latest twenty passes of this booking at its position, the newest
-- first: version and time of the entry, seats of the booking that passed, free seats.
-- name: WaitlistPositionGet :one
SELECT sqlc.embed(b), e.organizer_id, e.fit,
       s.capacity, s.seats_taken, s.status AS slot_status, s.version AS slot_version, s.freed_version,
       (s.starts_at <= (SELECT clock_timestamp()))::boolean AS started,
       (s.status = 'cancelled' OR e.status = 'cancelled' OR s.ends_at <= (SELECT clock_timestamp()))::boolean AS is_over,
       (CASE WHEN b.status = 'waitlisted' THEN blocker_of(b.user_id, b.during, b.replaces_booking_id, b.blocked_by)
             ELSE '00000000-0000-0000-0000-000000000000' END)::uuid AS blocker,
       -- The most seats of a user, where the booking that this one was to replace is to be
       -- kept, and both would be more; 0 elsewhere. Others that wait instead of one count
       -- for nothing here.
       (CASE WHEN b.status = 'waitlisted' AND given_back(b.replaces_booking_id) IS NULL
                  AND (SELECT takes_seats(r.status) FROM bookings r WHERE r.id = b.replaces_booking_id)
                  AND (SELECT sum(o.seats) FROM bookings o
                       WHERE o.user_id = b.user_id AND is_live(o.status)
                         AND (o.id = b.id OR o.status <> 'waitlisted' OR o.replaces_booking_id IS NULL)
                         AND (SELECT t.event_id FROM slots t WHERE t.id = o.slot_id) = s.event_id) > e.max_seats_per_user
             THEN e.max_seats_per_user ELSE 0 END)::int AS outgrown,
       ahead.bookings_ahead, ahead.seats_ahead, ahead.ready_bookings_ahead, ahead.ready_seats_ahead, ahead.oversized_ahead,
       coalesce(holdup.seats, 0)::int AS holdup_seats,
       coalesce((
           SELECT max(l.version) FROM ledger l
           WHERE l.booking_id = holdup.id AND l.slot_id = b.slot_id), 0)::bigint AS holdup_version,
       coalesce((
           SELECT max(l.version) FROM ledger l
           WHERE l.booking_id = b.id AND l.slot_id = b.slot_id AND l.kind = 'blocked'), 0)::bigint AS blocked_version,
       coalesce((
           SELECT r.version + 1
           FROM (SELECT l.version, l.capacity - l.seats_taken AS free FROM ledger l
                 WHERE l.slot_id = b.slot_id AND b.status = 'waitlisted'
                 ORDER BY l.version DESC LIMIT 10000) r
           WHERE r.free >= coalesce(b.seats_min, b.seats)
           ORDER BY r.version DESC LIMIT 1), 0)::bigint AS short_version,
       coalesce((
           SELECT r.version + 1
           FROM (SELECT l.version, l.capacity - l.seats_taken AS free FROM ledger l
                 WHERE l.slot_id = b.slot_id AND holdup.seats > 0
                 ORDER BY l.version DESC LIMIT 10000) r
           WHERE r.free < coalesce(b.seats_min, b.seats) OR r.free >= holdup.seats
           ORDER BY r.version DESC LIMIT 1), 0)::bigint AS heldup_version,
       passed.versions AS passed_versions, passed.ats AS passed_ats, passed.seats AS passed_seats, passed.free AS passed_free
FROM bookings b
JOIN slots s ON s.id = b.slot_id
JOIN events e ON e.id = s.event_id
CROSS JOIN LATERAL (
    SELECT count(*) AS bookings_ahead,
           coalesce(sum(a.seats), 0)::bigint AS seats_ahead,
           count(*) FILTER (WHERE a.ready) AS ready_bookings_ahead,
           coalesce(sum(a.seats) FILTER (WHERE a.ready), 0)::bigint AS ready_seats_ahead,
           count(*) FILTER (WHERE a.oversized) AS oversized_ahead,
           min(a.queued_version) FILTER (WHERE a.oversized AND (e.fit = 'strict' OR a.passes >= e.max_passes)) AS holdup
    FROM (
        SELECT q.seats, q.queued_version, q.passes, q.ready,
               q.ready AND q.needs > s.capacity - s.seats_taken AS oversized
        FROM (
            SELECT w.seats, w.queued_version, w.passes, coalesce(w.seats_min, w.seats) AS needs,
                   coalesce(w.seats_min, w.seats) <= s.capacity AND (
                       SELECT true FROM bookings o
                       WHERE o.user_id = w.user_id AND takes_seats(o.status)
                         AND lower(o.during) < upper(w.during) AND upper(o.during) > lower(w.during)
                         AND o.id IS DISTINCT FROM given_back(w.replaces_booking_id)
                       LIMIT 1) IS NULL AS ready
            FROM bookings w
            WHERE b.status = 'waitlisted'
              AND w.slot_id = b.slot_id AND w.status = 'waitlisted' AND w.queued_version < b.queued_version
            OFFSET 0
        ) q
    ) a
) ahead
LEFT JOIN LATERAL (
    SELECT h.id, coalesce(h.seats_min, h.seats) AS seats FROM bookings h
    WHERE h.slot_id = b.slot_id AND h.status = 'waitlisted' AND h.queued_version = ahead.holdup
    LIMIT 1
) holdup ON true
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(p.version ORDER BY p.version DESC), '{}')::bigint[] AS versions,
           coalesce(array_agg(p.at ORDER BY p.version DESC), '{}')::timestamptz[] AS ats,
           coalesce(array_agg(p.seats ORDER BY p.version DESC), '{}')::int[] AS seats,
           coalesce(array_agg(p.free ORDER BY p.version DESC), '{}')::int[] AS free
    FROM (
        SELECT l.version, l.at, c.seats, c.capacity - c.seats_taken + c.seats AS free
        FROM ledger l
        JOIN ledger c ON c.slot_id = l.cause_slot_id AND c.version = l.cause_version
        WHERE l.booking_id = b.id AND l.slot_id = b.slot_id AND l.kind = 'passed' AND l.version > b.queued_version
        ORDER BY l.version DESC
        LIMIT 20
    ) p
) passed
WHERE b.id = @id;

-- The user, slot and organizer of a booking, which never change.
-- name: OfferGet :one
SELECT b.slot_id, b.user_id, e.organizer_id
FROM bookings b
JOIN slots s ON s.id = b.slot_id
JOIN events e ON e.id = s.event_id
WHERE b.id = @id;

-- The live bookings of a slot, in any order, for a simulation.
-- name: BookingsToSimulate :many
SELECT * FROM bookings
WHERE slot_id = @slot_id AND is_live(status)
LIMIT @page::int;

-- The slots in which the first bookings of a queue would give seats back: those of
-- the bookings that they replace, or of the bookings that took the place of these. It
-- is read without locks: a promotion that locks them does not need a second one. No more
-- of the queue is looked at than a promotion reads.
-- name: SlotsGivenBack :many
WITH RECURSIVE line AS (
    SELECT o.slot_id, o.status, o.replaced_by, 0 AS hops
    FROM (
        SELECT h.replaces_booking_id
        FROM ((SELECT b.replaces_booking_id, b.queued_version FROM bookings b
               WHERE b.slot_id = @slot_id AND b.status = 'waitlisted' AND b.blocked IS NULL
               ORDER BY b.queued_version
               LIMIT @heads::int)
              UNION ALL
              (SELECT b.replaces_booking_id, b.queued_version FROM bookings b
               WHERE b.slot_id = @slot_id AND b.blocked IS NOT NULL
               ORDER BY b.queued_version
               LIMIT @heads::int)) h
        WHERE h.replaces_booking_id IS NOT NULL
        ORDER BY h.queued_version
        LIMIT @page::int
    ) w
    JOIN bookings o ON o.id = w.replaces_booking_id
    UNION ALL
    SELECT n.slot_id, n.status, n.replaced_by, l.hops + 1
    FROM line l JOIN bookings n ON n.id = l.replaced_by
    WHERE l.hops < @hops::int
)
SELECT DISTINCT slot_id FROM line WHERE takes_seats(status);
