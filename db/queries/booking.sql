-- Bookings as their owners and organizers read them. Nothing here locks or writes;
-- only the desk changes bookings.
--
-- position is the position in the queue: 1 is next, 0 means that the booking does
-- not wait. A list does not count the queue for each of its rows: it counts from the
-- start of a queue to its first waiting booking, and from each to the next.

-- A booking with the organizer of its event, who may see it too.
-- name: BookingGet :one
SELECT sqlc.embed(b), s.event_id, e.organizer_id,
       (CASE WHEN b.status = 'waitlisted' THEN (
           SELECT 1 + count(*) FROM bookings a
           WHERE a.slot_id = b.slot_id AND a.status = 'waitlisted' AND a.queued_version < b.queued_version)
       ELSE 0 END)::bigint AS position
FROM bookings b
JOIN slots s ON s.id = b.slot_id
JOIN events e ON e.id = s.event_id
WHERE b.id = @id;

-- The organizer and the status of an event.
-- name: EventOrganizerGet :one
SELECT organizer_id, status FROM events WHERE id = @id;

-- One user's bookings in a phase, by the starts of their slots, which the bookings have a
-- copy of: upcoming ones with the earliest first, all others with the latest first.
-- after_starts and after_id are those of the last booking before the page.
--
-- Of each status at most a page is read, in the order of an index. The index does not
-- have the ids, so a page of it ends with all bookings of its last start.
-- name: BookingsOfUser :many
WITH page AS MATERIALIZED (
    SELECT n.id, n.starts
    FROM (SELECT unnest(@statuses::text[]) AS status) asked
    CROSS JOIN LATERAL (
        (SELECT m.id, lower(m.during) AS starts
         FROM bookings m
         WHERE @phase::text = 'upcoming' AND m.user_id = @user_id AND m.status = asked.status
           AND lower(m.during) >= greatest(@after_starts::timestamptz, now()) AND lower(m.during) > now()
           AND (lower(m.during) > @after_starts OR m.id > @after_id)
         ORDER BY lower(m.during)
         FETCH FIRST (@page::int) ROWS WITH TIES)
        UNION ALL
        (SELECT m.id, lower(m.during) AS starts
         FROM bookings m
         WHERE @phase::text <> 'upcoming' AND m.user_id = @user_id AND m.status = asked.status
           AND lower(m.during) <= CASE WHEN @phase::text IN ('ongoing', 'past') THEN least(@after_starts, now()) ELSE @after_starts END
           AND upper(m.during) <= CASE WHEN @phase::text = 'past' THEN now() ELSE 'infinity' END
           AND upper(m.during) > CASE WHEN @phase::text = 'ongoing' THEN now() ELSE '-infinity' END
           AND (lower(m.during) < @after_starts OR m.id > @after_id)
         ORDER BY lower(m.during) DESC
         FETCH FIRST (@page) ROWS WITH TIES)
    ) n
    ORDER BY CASE WHEN @phase::text = 'upcoming' THEN n.starts END, n.starts DESC, n.id
    LIMIT @page
), waiting AS (
    SELECT w.id, w.slot_id, w.queued_version,
           lag(w.queued_version, 1, 0) OVER (PARTITION BY w.slot_id ORDER BY w.queued_version) AS previous
    FROM bookings w
    WHERE w.id IN (SELECT p.id FROM page p) AND w.status = 'waitlisted'
), queue AS (
    SELECT w.id, sum(gap.bookings) OVER (PARTITION BY w.slot_id ORDER BY w.queued_version) AS position
    FROM waiting w
    CROSS JOIN LATERAL (
        SELECT count(*) AS bookings FROM bookings a
        WHERE a.slot_id = w.slot_id AND a.status = 'waitlisted'
          AND a.queued_version > w.previous AND a.queued_version <= w.queued_version
    ) gap
)
SELECT sqlc.embed(b), s.event_id, coalesce(q.position, 0)::bigint AS position
FROM page p
JOIN bookings b ON b.id = p.id
JOIN slots s ON s.id = b.slot_id
LEFT JOIN queue q ON q.id = p.id
ORDER BY CASE WHEN @phase::text = 'upcoming' THEN p.starts END, p.starts DESC, p.id;

-- A slot's bookings, the oldest first: ids are made in the order of time. Of each status
-- at most a page is read, by an index.
-- name: BookingsOfSlot :many
WITH page AS MATERIALIZED (
    SELECT n.id
    FROM (SELECT unnest(@statuses::text[]) AS status) asked
    CROSS JOIN LATERAL (
        SELECT m.id FROM bookings m
        WHERE m.slot_id = @slot_id AND m.status = asked.status AND m.id > @after_id
        ORDER BY m.id
        LIMIT @page::int
    ) n
    ORDER BY n.id
    LIMIT @page
), waiting AS (
    SELECT w.id, w.slot_id, w.queued_version,
           lag(w.queued_version, 1, 0) OVER (PARTITION BY w.slot_id ORDER BY w.queued_version) AS previous
    FROM bookings w
    WHERE w.id IN (SELECT p.id FROM page p) AND w.status = 'waitlisted'
), queue AS (
    SELECT w.id, sum(gap.bookings) OVER (PARTITION BY w.slot_id ORDER BY w.queued_version) AS position
    FROM waiting w
    CROSS JOIN LATERAL (
        SELECT count(*) AS bookings FROM bookings a
        WHERE a.slot_id = w.slot_id AND a.status = 'waitlisted'
          AND a.queued_version > w.previous AND a.queued_version <= w.queued_version
    ) gap
)
SELECT sqlc.embed(b), s.event_id, coalesce(q.position, 0)::bigint AS position
FROM page p
JOIN bookings b ON b.id = p.id
JOIN slots s ON s.id = b.slot_id
LEFT JOIN queue q ON q.id = p.id
ORDER BY p.id;

-- The bookings of all slots of an event, the newest first. Of each status in each slot the
-- newest is looked up. Only as many of these lists as the page has rows can have
-- something on it, and of each of them at most a page is read, by an index. The newest wait
-- at the ends of the queues, so positions are counted from there.
-- name: BookingsOfEvent :many
WITH lists AS MATERIALIZED (
    SELECT l.id AS slot_id, asked.status
    FROM slots l
    CROSS JOIN (SELECT unnest(@statuses::text[]) AS status) asked
    CROSS JOIN LATERAL (
        SELECT m.id FROM bookings m
        WHERE m.slot_id = l.id AND m.status = asked.status AND m.id < @before_id
        ORDER BY m.id DESC
        LIMIT 1
    ) newest
    WHERE l.event_id = @event_id
    ORDER BY newest.id DESC
    LIMIT @page::int
), page AS MATERIALIZED (
    SELECT n.id
    FROM lists l
    CROSS JOIN LATERAL (
        SELECT m.id FROM bookings m
        WHERE m.slot_id = l.slot_id AND m.status = l.status AND m.id < @before_id
        ORDER BY m.id DESC
        LIMIT @page
    ) n
    ORDER BY n.id DESC
    LIMIT @page
), waiting AS (
    SELECT w.id, w.slot_id, w.queued_version,
           lead(w.queued_version, 1, 9223372036854775807) OVER (PARTITION BY w.slot_id ORDER BY w.queued_version) AS next
    FROM bookings w
    WHERE w.id IN (SELECT p.id FROM page p) AND w.status = 'waitlisted'
), queue AS (
    SELECT w.id, s.waitlist_length - sum(gap.bookings) OVER (PARTITION BY w.slot_id ORDER BY w.queued_version DESC) AS position
    FROM waiting w
    JOIN slots s ON s.id = w.slot_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS bookings FROM bookings a
        WHERE a.slot_id = w.slot_id AND a.status = 'waitlisted'
          AND a.queued_version > w.queued_version AND a.queued_version <= w.next
    ) gap
)
SELECT sqlc.embed(b), s.event_id, coalesce(q.position, 0)::bigint AS position
FROM page p
JOIN bookings b ON b.id = p.id
JOIN slots s ON s.id = b.slot_id
LEFT JOIN queue q ON q.id = p.id
ORDER BY p.id DESC;

-- One user's bookings that take seats at an overlapping time, by their start. See
-- BookingsOfUser.
-- name: BookingsConflicting :many
SELECT sqlc.embed(b), s.event_id, 0::bigint AS position
FROM (SELECT unnest('{held,offered,confirmed}'::text[]) AS status) taking
CROSS JOIN LATERAL (
    SELECT m.id, lower(m.during) AS starts FROM bookings m
    WHERE m.user_id = @user_id AND m.status = taking.status
      AND lower(m.during) < @ends_at::timestamptz AND upper(m.during) > @starts_at::timestamptz
      AND lower(m.during) >= @after_starts::timestamptz
      AND (lower(m.during) > @after_starts OR m.id > @after_id)
    ORDER BY lower(m.during)
    FETCH FIRST (@page::int) ROWS WITH TIES
) n
JOIN bookings b ON b.id = n.id
JOIN slots s ON s.id = b.slot_id
ORDER BY n.starts, n.id
LIMIT @page;

-- A page of the live bookings of a deleted user that are to be cancelled: those that
-- were not final when the user was deleted.
-- name: BookingsOfDeletedUser :many
SELECT b.id, b.slot_id, u.deleted_at::timestamptz AS deleted_at
FROM users u
JOIN bookings b ON b.user_id = u.id
WHERE u.id = @user_id AND u.deleted_at IS NOT NULL
  AND is_live(b.status) AND NOT is_final(b.status, b.checked_in_at, b.during, u.deleted_at)
  AND b.id > @after_id
ORDER BY b.id
LIMIT @page::int;

-- A page of the deleted users who may still have such bookings: the backstop for a lost
-- job, which gets some seconds to do it.
-- name: UsersLeaving :many
SELECT id FROM users
WHERE deleted_at IS NOT NULL AND bookings_cancelled_at IS NULL
  AND deleted_at < (SELECT clock_timestamp()) - interval '5 seconds'
  AND id > @after_id
ORDER BY id
LIMIT @page::int;

-- Takes a deleted user off that list, unless a booking is left. The user's row is locked
-- before, so nobody can be giving them a booking (by moving one) meanwhile.
-- name: UserLeft :exec
UPDATE users u
SET bookings_cancelled_at = clock_timestamp()
WHERE u.id = @id AND u.bookings_cancelled_at IS NULL
  AND NOT EXISTS (
    SELECT FROM bookings b
    WHERE b.user_id = u.id AND is_live(b.status) AND NOT is_final(b.status, b.checked_in_at, b.during, u.deleted_at));

-- The entries of one booking, and the changes of its slot's times while it was live: an
-- ended booking has the version of its last entry.
-- name: LedgerOfBooking :many
SELECT * FROM (
    (SELECT * FROM ledger o
     WHERE o.booking_id = @booking_id AND o.slot_id = @slot_id AND o.version > @after_version
     ORDER BY o.version
     LIMIT @page::int)
    UNION ALL
    (SELECT m.* FROM bookings b
     JOIN ledger m ON m.slot_id = b.slot_id AND m.new_starts_at IS NOT NULL AND m.version > @after_version
         AND m.version > (SELECT min(f.version) FROM ledger f WHERE f.booking_id = b.id AND f.slot_id = b.slot_id)
         AND (is_live(b.status) OR m.version < b.version)
     WHERE b.id = @booking_id
     ORDER BY m.version
     LIMIT @page::int)
) l
ORDER BY version
LIMIT @page::int;

-- The causes of the entries of a booking, the causes of those, and so on, across
-- slots, nearest first, without the booking's own entries. The inner LIMIT ends the
-- recursion itself, and LATERAL makes each step a lookup of the primary key.
-- name: LedgerCauses :many
WITH RECURSIVE up AS (
    SELECT 1 AS depth, c.slot_id, c.version, c.cause_slot_id, c.cause_version
    FROM ledger own
    CROSS JOIN LATERAL (
        SELECT * FROM ledger x
        WHERE x.slot_id = own.cause_slot_id AND x.version = own.cause_version
        LIMIT 1) c
    WHERE own.booking_id = @booking_id AND c.booking_id IS DISTINCT FROM @booking_id
    UNION
    SELECT up.depth + 1, c.slot_id, c.version, c.cause_slot_id, c.cause_version
    FROM up
    CROSS JOIN LATERAL (
        SELECT * FROM ledger x
        WHERE x.slot_id = up.cause_slot_id AND x.version = up.cause_version
        LIMIT 1) c
    WHERE c.booking_id IS DISTINCT FROM @booking_id
), nearest AS (
    SELECT min(found.depth)::int AS depth, found.slot_id, found.version
    FROM (SELECT * FROM up LIMIT @links::int) found
    GROUP BY found.slot_id, found.version
)
SELECT n.depth, sqlc.embed(l), s.event_id
FROM nearest n
JOIN ledger l ON l.slot_id = n.slot_id AND l.version = n.version
LEFT JOIN slots s ON s.id = n.slot_id
ORDER BY n.depth, l.at DESC, l.slot_id, l.version DESC;

-- The entries that those of a booking caused, the entries that these caused, and so
-- on, across slots, nearest first. See LedgerCauses.
-- name: LedgerConsequences :many
WITH RECURSIVE down AS (
    SELECT 1 AS depth, c.slot_id, c.version
    FROM ledger own
    CROSS JOIN LATERAL (
        SELECT * FROM ledger x
        WHERE x.cause_slot_id = own.slot_id AND x.cause_version = own.version
        LIMIT @links::int) c
    WHERE own.booking_id = @booking_id AND c.booking_id IS DISTINCT FROM @booking_id
    UNION ALL
    SELECT down.depth + 1, c.slot_id, c.version
    FROM down
    CROSS JOIN LATERAL (
        SELECT * FROM ledger x
        WHERE x.cause_slot_id = down.slot_id AND x.cause_version = down.version
        LIMIT @links::int) c
    WHERE c.booking_id IS DISTINCT FROM @booking_id
), nearest AS (
    SELECT * FROM down LIMIT @links::int
)
SELECT n.depth::int AS depth, sqlc.embed(l), s.event_id
FROM nearest n
JOIN ledger l ON l.slot_id = n.slot_id AND l.version = n.version
LEFT JOIN slots s ON s.id = n.slot_id
ORDER BY n.depth, l.at, l.slot_id, l.version;
