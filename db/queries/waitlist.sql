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
-- Of those ahead, the busy ones are subtracted. They are found from the seats that are taken
-- at that time, where these are few: in the slots beside it, whose bookings have their
-- times. Otherwise the seats of each user are looked up. OFFSET 0 and LIMIT keep the
-- planner from turning that round, since it takes every queue for short; BookingsLive says
-- why rows are compared.
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
       ahead.bookings AS bookings_ahead, ahead.seats AS seats_ahead,
       (ahead.fitting_bookings - busy.bookings)::bigint AS ready_bookings_ahead,
       (ahead.fitting_seats - busy.seats)::bigint AS ready_seats_ahead,
       (ahead.oversized - busy.oversized)::bigint AS oversized_ahead,
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
    SELECT count(*) AS bookings,
           coalesce(sum(w.seats), 0)::bigint AS seats,
           count(*) FILTER (WHERE w.needs <= s.capacity) AS fitting_bookings,
           coalesce(sum(w.seats) FILTER (WHERE w.needs <= s.capacity), 0)::bigint AS fitting_seats,
           count(*) FILTER (WHERE w.needs <= s.capacity AND w.needs > s.capacity - s.seats_taken) AS oversized
    FROM (
        SELECT a.seats, coalesce(a.seats_min, a.seats) AS needs FROM bookings a
        WHERE b.status = 'waitlisted' AND a.slot_id = b.slot_id AND a.status = 'waitlisted' AND a.queued_version < b.queued_version
    ) w
) ahead
CROSS JOIN LATERAL (
    -- A slot counts as four bookings: so much more it costs to look for those in it.
    SELECT count(*) < 1000 AND coalesce(4 * count(*) + sum(x.seats_taken), 0) < ahead.bookings AS are_few
    FROM (SELECT t.seats_taken FROM slots t
          WHERE t.during && s.during AND t.id <> s.id
          LIMIT 1000) x
) seats_elsewhere
CROSS JOIN LATERAL (
    SELECT count(*) AS bookings, coalesce(sum(w.seats), 0)::bigint AS seats,
           count(*) FILTER (WHERE w.needs > s.capacity - s.seats_taken) AS oversized
    FROM (
        SELECT a.id, a.seats, coalesce(a.seats_min, a.seats) AS needs
        FROM bookings a
        WHERE NOT seats_elsewhere.are_few AND b.status = 'waitlisted'
          AND a.slot_id = b.slot_id AND a.status = 'waitlisted' AND a.queued_version < b.queued_version
          AND is_busy(a.user_id, a.during, a.replaces_booking_id)
        UNION
        SELECT a.id, a.seats, coalesce(a.seats_min, a.seats)
        FROM (SELECT t.id FROM slots t
              WHERE seats_elsewhere.are_few AND b.status = 'waitlisted' AND t.during && s.during AND t.id <> s.id
              LIMIT 1000) x
        CROSS JOIN (SELECT unnest('{held,offered,confirmed}'::text[]) AS status) taking
        CROSS JOIN LATERAL (
            SELECT t.id, t.user_id FROM bookings t
            WHERE t.slot_id = x.id AND t.status = taking.status
            OFFSET 0
        ) o
        CROSS JOIN LATERAL (
            SELECT * FROM bookings w
            WHERE w.user_id = o.user_id
              AND (w.user_id, w.slot_id) >= (o.user_id, b.slot_id) AND (w.user_id, w.slot_id) <= (o.user_id, b.slot_id)
              AND is_live(w.status)
            ORDER BY w.slot_id
            LIMIT 1
        ) a
        WHERE a.status = 'waitlisted' AND a.queued_version < b.queued_version
          AND o.id IS DISTINCT FROM given_back(a.replaces_booking_id)
    ) w
    WHERE w.needs <= s.capacity
) busy
LEFT JOIN LATERAL (
    SELECT h.id, coalesce(h.seats_min, h.seats) AS seats
    FROM bookings h
    WHERE b.status = 'waitlisted' AND h.slot_id = b.slot_id AND h.status = 'waitlisted' AND h.queued_version < b.queued_version
      AND coalesce(h.seats_min, h.seats) <= s.capacity AND coalesce(h.seats_min, h.seats) > s.capacity - s.seats_taken
      AND (e.fit = 'strict' OR h.passes >= e.max_passes)
      AND NOT is_busy(h.user_id, h.during, h.replaces_booking_id)
    ORDER BY h.queued_version
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
-- is read without locks: a promotion that locks them does not need a second one. They are
-- those that a promotion may read, of the ready ones and of the blocked ones; where nobody
-- would give back anything, the queue is not read.
-- name: SlotsGivenBack :many
WITH RECURSIVE line AS (
    SELECT o.slot_id, o.status, o.replaced_by, 0 AS hops
    FROM (
        SELECT b.replaces_booking_id FROM bookings b
        WHERE b.slot_id = @slot_id AND b.status = 'waitlisted' AND b.replaces_booking_id IS NOT NULL
          AND b.queued_version < coalesce(
              CASE WHEN b.blocked IS NULL
                   THEN (SELECT r.queued_version FROM bookings r
                         WHERE r.slot_id = @slot_id AND r.status = 'waitlisted' AND r.blocked IS NULL
                         ORDER BY r.queued_version
                         OFFSET @heads::int LIMIT 1)
                   ELSE (SELECT r.queued_version FROM bookings r
                         WHERE r.slot_id = @slot_id AND r.status = 'waitlisted' AND r.blocked IS NOT NULL
                         ORDER BY r.queued_version
                         OFFSET @heads::int LIMIT 1)
              END, b.queued_version + 1)
        ORDER BY b.queued_version
        LIMIT @page::int
    ) w
    JOIN bookings o ON o.id = w.replaces_booking_id
    UNION ALL
    SELECT n.slot_id, n.status, n.replaced_by, l.hops + 1
    FROM line l JOIN bookings n ON n.id = l.replaced_by
    WHERE l.hops < @hops::int
)
SELECT DISTINCT slot_id FROM line WHERE takes_seats(status);
