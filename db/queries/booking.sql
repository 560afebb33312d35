-- Bookings as their owners and organizers read them. Nothing here locks or writes;
-- only the desk changes bookings.
--
-- position is the position in the queue: 1 is next, 0 means that the booking does
-- not wait.

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

-- One user's bookings in a phase, by their slots' starts: the earliest first with
-- direction 1, the latest first with direction -1. The key is the start in
-- microseconds times direction, so that one query sorts both ways.
-- name: BookingsOfUser :many
SELECT sqlc.embed(b), s.event_id,
       (CASE WHEN b.status = 'waitlisted' THEN (
           SELECT 1 + count(*) FROM bookings a
           WHERE a.slot_id = b.slot_id AND a.status = 'waitlisted' AND a.queued_version < b.queued_version)
       ELSE 0 END)::bigint AS position
FROM bookings b
JOIN slots s ON s.id = b.slot_id
CROSS JOIN LATERAL (
    SELECT ((extract(epoch FROM s.starts_at) * 1000000)::bigint * @direction::bigint)::bigint AS starts
) by_start
WHERE b.user_id = @user_id
  AND (cardinality(@statuses::text[]) = 0 OR b.status = ANY(@statuses::text[]))
  AND CASE @phase::text
          WHEN 'upcoming' THEN s.starts_at > now()
          WHEN 'ongoing' THEN s.starts_at <= now() AND s.ends_at > now()
          WHEN 'past' THEN s.ends_at <= now()
          ELSE true
      END
  AND (by_start.starts, b.id) > (@after_starts::bigint, @after_id::uuid)
ORDER BY by_start.starts, b.id
LIMIT @page::int;

-- A slot's bookings, the oldest first: ids are made in the order of time.
-- name: BookingsOfSlot :many
SELECT sqlc.embed(b), s.event_id,
       (CASE WHEN b.status = 'waitlisted' THEN (
           SELECT 1 + count(*) FROM bookings a
           WHERE a.slot_id = b.slot_id AND a.status = 'waitlisted' AND a.queued_version < b.queued_version)
       ELSE 0 END)::bigint AS position
FROM bookings b
JOIN slots s ON s.id = b.slot_id
WHERE b.slot_id = @slot_id
  AND (cardinality(@statuses::text[]) = 0 OR b.status = ANY(@statuses::text[]))
  AND b.id > @after_id
ORDER BY b.id
LIMIT @page::int;

-- The bookings of all slots of an event, the newest first. At most a page of each
-- slot is read, by an index.
-- name: BookingsOfEvent :many
SELECT sqlc.embed(b), s.event_id,
       (CASE WHEN b.status = 'waitlisted' THEN (
           SELECT 1 + count(*) FROM bookings a
           WHERE a.slot_id = b.slot_id AND a.status = 'waitlisted' AND a.queued_version < b.queued_version)
       ELSE 0 END)::bigint AS position
FROM slots s
CROSS JOIN LATERAL (
    SELECT n.id FROM bookings n
    WHERE n.slot_id = s.id
      AND (cardinality(@statuses::text[]) = 0 OR n.status = ANY(@statuses::text[]))
      AND n.id < @before_id
    ORDER BY n.id DESC
    LIMIT @page::int
) newest
JOIN bookings b ON b.id = newest.id
WHERE s.event_id = @event_id
ORDER BY b.id DESC
LIMIT @page::int;

-- One user's bookings that take seats at an overlapping time, by their start.
-- name: BookingsConflicting :many
SELECT sqlc.embed(b), s.event_id, 0::bigint AS position
FROM bookings b
JOIN slots s ON s.id = b.slot_id
WHERE b.user_id = @user_id
  AND takes_seats(b.status)
  AND b.during && tstzrange(@starts_at::timestamptz, @ends_at::timestamptz, '[)')
  AND (s.starts_at, b.id) > (@after_starts::timestamptz, @after_id::uuid)
ORDER BY s.starts_at, b.id
LIMIT @page::int;

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
