-- The desk's queries (internal/desk/load.go and write.go): everything that changes
-- seats. It sends them in pipelines, several in a round trip (pipeline.go).
--
-- The lock order of all transactions: slots by id, events by id, users by id, bookings,
-- idempotency keys, jobs. Each lock is taken in a statement of its own, and decisions are made on
-- what is read afterwards: a statement that locks and reads sees other rows as they
-- were when it began to wait.

-- First round trip: the slots, and what their queues hold.

-- Locks the slots in id order. This lock guards the slot's seats and queue.
-- name: SlotsLock :many
SELECT id FROM slots WHERE id = ANY(@ids::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- As SlotsLock, without those that another transaction has locked: a locked slot must
-- not delay the others.
-- name: SlotsLockFree :many
SELECT id FROM slots WHERE id = ANY(@ids::uuid[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED;

-- As SlotsLock, without locking anything, for a dry run.
-- name: SlotsFind :many
SELECT id FROM slots WHERE id = ANY(@ids::uuid[]) ORDER BY id;

-- Locks the events of slots in id order, where a slot's times or status may change. The
-- trigger slots_keep_event_span locks an event too, but late, and in the order in which
-- a statement updates the slots: two batches would take the events in different orders.
-- An event's slot never leaves it, so which events these are needs no lock.
-- name: EventsLock :many
SELECT id FROM events
WHERE id IN (SELECT event_id FROM slots WHERE id = ANY(@slot_ids::uuid[]))
ORDER BY id FOR NO KEY UPDATE;

-- As EventsLock, without those that another transaction has locked.
-- name: EventsLockFree :many
SELECT id FROM events
WHERE id IN (SELECT event_id FROM slots WHERE id = ANY(@slot_ids::uuid[]))
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED;

-- The database's clock. It is read after the slots are locked, so within a slot the
-- times have the order of the ledger.
-- name: ClockRead :one
SELECT clock_timestamp()::timestamptz AS now;

-- The slots with their events' settings. These change only while all slots of the event
-- are locked, so they do not change now.
-- name: SlotsLoad :many
SELECT
    s.id, s.event_id, s.starts_at, s.ends_at, s.capacity, s.status, s.revision,
    s.version, s.seats_taken, s.waitlist_length, s.waitlist_ready, s.freed_version,
    s.promotion_due_at, s.created_at, s.updated_at,
    e.organizer_id, e.status AS event_status, e.booking_opens_at, e.booking_closes_at,
    e.cancellation_closes_minutes, e.waitlist_mode, e.waitlist_limit, e.offer_minutes,
    e.hold_minutes, e.fit, e.max_passes, e.walk_ins, e.max_seats_per_booking, e.max_seats_per_user,
    coalesce(s.cancelled_at, e.cancelled_at) AS cancelled_at,
    -- Why the slot or the event was cancelled: freed_version is the entry that did it.
    coalesce(e.cancellation_reason,
        (SELECT l.reason FROM ledger l
         WHERE s.status = 'cancelled' AND l.slot_id = s.id AND l.version = s.freed_version), '')::text AS cancelled_because
FROM slots s
JOIN events e ON e.id = s.event_id
WHERE s.id = ANY(@ids::uuid[]);

-- The bookings that commands name.
-- name: BookingsNamed :many
SELECT * FROM bookings WHERE id = ANY(@ids::uuid[]);

-- Holds and offers that are due.
-- name: BookingsDue :many
SELECT b.*
FROM unnest(@slot_ids::uuid[]) AS slot(id)
CROSS JOIN LATERAL (
    SELECT * FROM bookings d
    WHERE d.slot_id = slot.id AND d.status IN ('held', 'offered') AND d.expires_at <= (SELECT clock_timestamp())
    ORDER BY d.expires_at, d.id
    LIMIT @page::int
) b;

-- Bookings that still wait for a slot that has started. They expire.
-- name: BookingsWaitedOut :many
SELECT b.*
FROM slots s
CROSS JOIN LATERAL (
    SELECT * FROM bookings w
    WHERE w.slot_id = s.id AND w.status = 'waitlisted'
    ORDER BY w.queued_version
    LIMIT @page::int
) b
WHERE s.id = ANY(@slot_ids::uuid[]) AND s.waitlist_length > 0 AND s.starts_at <= (SELECT clock_timestamp());

-- The heads of the ready queues, in slots whose queues the batch serves and where somebody
-- might be served: because a promotion is due, or because the batch may free seats, if
-- only by expiring a hold or an offer. In other slots nobody in the queue can be served;
-- only first_fit needs the heads there, to know which of them a newcomer would pass.
--
-- Each of them takes a seat at least, so there are as many as seats are free, or become
-- free by the end of a booking that a command names or of one that is due, and some to
-- spare. first_fit looks further ahead if one of these wants several seats: with single
-- seats it passes nobody. The slots in whole get the largest page in any case.
-- name: BookingsHeads :many
WITH freed AS MATERIALIZED (
    SELECT slot_id, sum(seats) AS seats FROM bookings
    WHERE id = ANY(@named::uuid[]) AND takes_seats(status)
    GROUP BY slot_id
)
SELECT b.*
FROM slots s
JOIN events e ON e.id = s.event_id
LEFT JOIN freed f ON f.slot_id = s.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(d.seats), 0) AS seats
    FROM (SELECT seats FROM bookings
          WHERE slot_id = s.id AND status IN ('held', 'offered') AND expires_at <= (SELECT clock_timestamp())
          LIMIT @page::int) d
) due
CROSS JOIN LATERAL (
    SELECT s.id = ANY(@whole::uuid[]) AS is_whole,
           s.capacity - s.seats_taken + coalesce(f.seats, 0) + due.seats AS seats
) free
CROSS JOIN LATERAL (SELECT greatest(least(free.seats + @spare::int, @page::int), 0) AS heads) served
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM (SELECT coalesce(w.seats_min, w.seats) AS needs FROM bookings w
                     WHERE w.slot_id = s.id AND w.status = 'waitlisted' AND w.blocked IS NULL
                       AND e.fit = 'first_fit' AND e.max_passes > 0
                     ORDER BY w.queued_version
                     LIMIT served.heads) h
        WHERE h.needs > 1) AS passes
) ahead
CROSS JOIN LATERAL (
    SELECT * FROM bookings w
    WHERE w.slot_id = s.id AND w.status = 'waitlisted' AND w.blocked IS NULL
    ORDER BY w.queued_version
    LIMIT CASE
        WHEN free.is_whole THEN @page::int
        WHEN ahead.passes THEN least(served.heads + @look_ahead::int, @page::int)
        ELSE served.heads
    END
) b
WHERE s.id = ANY(@slot_ids::uuid[])
  AND s.waitlist_ready > 0
  AND (free.is_whole
       OR (free.seats > 0
           AND (s.promotion_due_at IS NOT NULL OR s.id = ANY(@freeing::uuid[]) OR due.seats > 0 OR e.fit = 'first_fit')))
ORDER BY b.slot_id, b.queued_version;

-- Blocked bookings whose reason has ended: the blocker takes no seats any more, is at
-- another time, or can be given back for the waiting one again, or the capacity suffices;
-- or that will be so with the capacity and the times given for the slot (0 and year 1: they
-- stay). The times are compared one by one, because they may be no range. The bookings are
-- read before their users are locked, so the command checks this again.
-- name: BookingsUnblockable :many
SELECT b.*
FROM (SELECT unnest(@slot_ids::uuid[]) AS id, unnest(@capacities::int[]) AS capacity,
             unnest(@starts::timestamptz[]) AS starts_at, unnest(@ends::timestamptz[]) AS ends_at) AS slot
CROSS JOIN LATERAL (
    SELECT w.*
    FROM bookings w
    JOIN slots s ON s.id = w.slot_id
    LEFT JOIN bookings x ON x.id = w.blocked_by
    WHERE w.slot_id = slot.id AND w.status = 'waitlisted' AND w.blocked IS NOT NULL
      AND ((w.blocked = 'capacity' AND coalesce(w.seats_min, w.seats) <= greatest(s.capacity, slot.capacity))
           OR (w.blocked = 'overlap' AND (NOT takes_seats(x.status)
               OR lower(x.during) >= coalesce(nullif(slot.ends_at, '0001-01-01T00:00:00Z'), s.ends_at)
               OR upper(x.during) <= coalesce(nullif(slot.starts_at, '0001-01-01T00:00:00Z'), s.starts_at)
               OR x.id = given_back(w.replaces_booking_id))))
    ORDER BY w.queued_version
    LIMIT @page::int
) b;

-- One page of the live bookings of slots that were cancelled, without those that were
-- final by then.
-- name: BookingsCancelling :many
SELECT b.*
FROM slots s
JOIN events e ON e.id = s.event_id
CROSS JOIN LATERAL (
    SELECT * FROM bookings l
    WHERE l.slot_id = s.id AND is_live(l.status)
      AND NOT is_final(l.status, l.checked_in_at, l.during, coalesce(s.cancelled_at, e.cancelled_at, now()))
    LIMIT @page::int
) b
WHERE s.id = ANY(@slot_ids::uuid[]);

-- The bookings with seats in a slot whose times are to change.
-- name: BookingsSeated :many
SELECT * FROM bookings
WHERE slot_id = @slot_id AND takes_seats(status)
LIMIT @page::int;

-- Second round trip: the users, and what else they have.

-- Locks the users in id order, so that their other commands wait. Without it, two
-- bookings of one user in two slots would deadlock in bookings_no_overlap.
-- name: UsersLock :many
SELECT id, deleted_at, role FROM users WHERE id = ANY(@ids::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- As UsersLock, without locking anything, for a dry run.
-- name: UsersFind :many
SELECT id, deleted_at, role FROM users WHERE id = ANY(@ids::uuid[]) ORDER BY id;

-- The users' bookings that take seats at an overlapping time. LATERAL with a limit makes
-- the planner use one index lookup for each, whatever the statistics.
-- name: BookingsOverlapping :many
SELECT b.*
FROM (SELECT unnest(@user_ids::uuid[]) AS user_id,
             unnest(@starts::timestamptz[]) AS starts_at,
             unnest(@ends::timestamptz[]) AS ends_at) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM bookings o
    WHERE o.user_id = wanted.user_id
      AND o.during && tstzrange(wanted.starts_at, wanted.ends_at, '[)')
      AND takes_seats(o.status)
    LIMIT 1000
) b;

-- The users' live bookings of the slots in which they want seats: one each at most.
-- Without IS TRUE, and without statistics, the planner reads all bookings of the slot
-- instead of the few of the user.
-- name: BookingsLive :many
SELECT b.*
FROM (SELECT unnest(@user_ids::uuid[]) AS user_id, unnest(@slot_ids::uuid[]) AS slot_id) AS wanted
CROSS JOIN LATERAL (
    SELECT * FROM bookings l
    WHERE l.user_id = wanted.user_id AND (l.slot_id = wanted.slot_id) IS TRUE
      AND is_live(l.status)
    LIMIT 1
) b;

-- The users' live bookings in events that limit the seats of a user. gives is the booking
-- that a waiting one would give back, or the one that it names. A user's bookings are read
-- one by one, whatever the statistics; an event has at most 1,000 slots, and so a user as
-- many live bookings in it.
-- name: BookingsOfEvents :many
SELECT wanted.event_id::uuid AS event_id, b.id, b.slot_id, b.user_id, b.seats, b.status, b.starts_at, b.ends_at,
       b.expires_at, b.checked_in_at, b.cancellation_closes_minutes, b.gives
FROM (SELECT unnest(@user_ids::uuid[]) AS user_id, unnest(@event_ids::uuid[]) AS event_id) AS wanted
CROSS JOIN LATERAL (
    SELECT l.id, l.slot_id, l.user_id, l.seats, l.status, lower(l.during)::timestamptz AS starts_at, upper(l.during)::timestamptz AS ends_at,
           l.expires_at, l.checked_in_at, l.cancellation_closes_minutes,
           coalesce(CASE WHEN l.status = 'waitlisted' THEN given_back(l.replaces_booking_id) END, l.replaces_booking_id,
               '00000000-0000-0000-0000-000000000000')::uuid AS gives
    FROM bookings l
    WHERE l.user_id = wanted.user_id AND is_live(l.status)
      AND (SELECT s.event_id FROM slots s WHERE s.id = l.slot_id) = wanted.event_id
    LIMIT 1000
) b;

-- The users' holds of slots that began since a time and have ended, the newest first.
-- name: HoldsEnded :many
SELECT wanted.user_id::uuid AS user_id, wanted.slot_id::uuid AS slot_id, h.began_at, h.ended_at
FROM (SELECT unnest(@user_ids::uuid[]) AS user_id, unnest(@slot_ids::uuid[]) AS slot_id) AS wanted
CROSS JOIN LATERAL (
    SELECT l.at AS began_at, e.at AS ended_at
    FROM ledger l
    CROSS JOIN LATERAL (
        SELECT n.at FROM ledger n
        WHERE n.booking_id = l.booking_id AND n.slot_id = l.slot_id AND n.version > l.version AND n.status <> 'held'
        ORDER BY n.version
        LIMIT 1
    ) e
    WHERE l.slot_id = wanted.slot_id AND l.user_id = wanted.user_id AND l.kind = 'held' AND l.at > @since::timestamptz
    ORDER BY l.at DESC
    LIMIT @page::int
) h;

-- How many changes of their bookings of slots users have made themselves since a time, up to
-- a page, and when the first of these was. The bookings are found by the times of their
-- slots: so it does not matter how many the user has elsewhere.
-- name: ChangesCount :many
SELECT wanted.user_id::uuid AS user_id, wanted.slot_id::uuid AS slot_id, c.changes, c.first_at
FROM (SELECT unnest(@user_ids::uuid[]) AS user_id, unnest(@slot_ids::uuid[]) AS slot_id,
             unnest(@starts::timestamptz[]) AS starts_at, unnest(@ends::timestamptz[]) AS ends_at) AS wanted
CROSS JOIN LATERAL (
    SELECT count(*)::int AS changes, min(e.at)::timestamptz AS first_at
    FROM (
        SELECT l.at
        FROM bookings b
        JOIN ledger l ON l.booking_id = b.id AND l.slot_id = b.slot_id
        WHERE b.user_id = wanted.user_id AND b.slot_id = wanted.slot_id
          AND b.status IN ('waitlisted', 'held', 'offered', 'confirmed', 'cancelled', 'expired')
          AND lower(b.during) = wanted.starts_at AND upper(b.during) = wanted.ends_at
          AND b.updated_at > @since::timestamptz AND l.at > @since::timestamptz AND l.actor_id = wanted.user_id
        ORDER BY l.at DESC
        LIMIT @page::int
    ) e
) c
WHERE c.changes > 0;

-- Bookings that block others or are to be given back, with those that replaced them.
-- name: BookingsSucceeding :many
WITH RECURSIVE line AS (
    SELECT b.id, b.replaced_by, 0 AS hops FROM bookings b WHERE b.id = ANY(@ids::uuid[])
    UNION ALL
    SELECT n.id, n.replaced_by, l.hops + 1 FROM line l JOIN bookings n ON n.id = l.replaced_by WHERE l.hops < @hops::int
)
SELECT * FROM bookings WHERE id IN (SELECT id FROM line);

-- How many seats each user holds, in all slots.
-- name: SeatsHeld :many
SELECT user_id, sum(seats)::int AS seats FROM bookings
WHERE user_id = ANY(@user_ids::uuid[]) AND status = 'held' AND expires_at > @now
GROUP BY user_id;

-- The slots with waiting bookings that one of these blocks. If it ends, these slots get
-- a job.
-- name: SlotsBlockedBy :many
SELECT DISTINCT slot_id, blocked_by::uuid AS blocked_by FROM bookings
WHERE blocked_by = ANY(@ids::uuid[]) AND status = 'waitlisted';

-- The slots with free seats in which the users wait at an overlapping time. If they get
-- seats here, those bookings become blocked and must not hold up others behind them:
-- these slots get a job.
-- name: SlotsAwaited :many
SELECT DISTINCT w.user_id, w.slot_id, s.starts_at, s.ends_at
FROM (SELECT unnest(@user_ids::uuid[]) AS user_id,
             unnest(@starts::timestamptz[]) AS starts_at,
             unnest(@ends::timestamptz[]) AS ends_at) AS wanted
JOIN bookings w ON w.user_id = wanted.user_id
    AND w.status = 'waitlisted' AND w.blocked IS NULL
    AND w.during && tstzrange(wanted.starts_at, wanted.ends_at, '[)')
JOIN slots s ON s.id = w.slot_id AND s.seats_taken < s.capacity;

-- The stored responses to these requests.
-- name: IdempotencyKeysLoad :many
SELECT k.*
FROM (SELECT unnest(@user_ids::uuid[]) AS user_id, unnest(@keys::text[]) AS key) AS asked
JOIN idempotency_keys k ON k.user_id = asked.user_id AND k.key = asked.key;

-- How many keys users have used within Retention, and when the first of these was.
-- name: IdempotencyKeysCount :many
SELECT k.user_id, count(*)::int AS keys, min(k.created_at)::timestamptz AS first_at
FROM idempotency_keys k
WHERE k.user_id = ANY(@user_ids::uuid[]) AND k.created_at > (SELECT clock_timestamp() - interval '24 hours')
GROUP BY k.user_id;

-- Third round trip: final states only, each booking once. Bookings that give seats back
-- are written before bookings that take them, in a statement of their own, because the
-- overlap constraint is checked for every row as it is written.
--
-- In the arrays the zero values of Go (nil UUID, 0, '', year 1) stand for NULL.

-- name: BookingsUpdate :exec
WITH change AS (
    SELECT unnest(@ids::uuid[]) AS id,
           unnest(@expected::bigint[]) AS expected,
           unnest(@seats::int[]) AS seats,
           unnest(@statuses::text[]) AS status,
           unnest(@versions::bigint[]) AS version,
           unnest(@queued_versions::bigint[]) AS queued_version,
           unnest(@passes::int[]) AS passes,
           unnest(@blocked::text[]) AS blocked,
           unnest(@blocked_by::uuid[]) AS blocked_by,
           unnest(@replaces::uuid[]) AS replaces_booking_id,
           unnest(@replaced_by::uuid[]) AS replaced_by,
           unnest(@seats_min::int[]) AS seats_min,
           unnest(@expires_at::timestamptz[]) AS expires_at,
           unnest(@checked_in_at::timestamptz[]) AS checked_in_at,
           unnest(@checked_in_by::uuid[]) AS checked_in_by,
           unnest(@cancellation_closes_minutes::int[]) AS cancellation_closes_minutes
), done AS (
    UPDATE bookings b
    SET seats = c.seats,
        status = c.status,
        version = c.version,
        queued_version = nullif(c.queued_version, 0),
        passes = c.passes,
        blocked = nullif(c.blocked, ''),
        blocked_by = nullif(c.blocked_by, '00000000-0000-0000-0000-000000000000'),
        replaces_booking_id = nullif(c.replaces_booking_id, '00000000-0000-0000-0000-000000000000'),
        replaced_by = nullif(c.replaced_by, '00000000-0000-0000-0000-000000000000'),
        seats_min = nullif(c.seats_min, 0),
        expires_at = nullif(c.expires_at, '0001-01-01T00:00:00Z'),
        checked_in_at = nullif(c.checked_in_at, '0001-01-01T00:00:00Z'),
        checked_in_by = nullif(c.checked_in_by, '00000000-0000-0000-0000-000000000000'),
        cancellation_closes_minutes = c.cancellation_closes_minutes,
        updated_at = @now::timestamptz
    FROM change c
    WHERE b.id = c.id AND b.version = c.expected
    RETURNING b.id
)
SELECT expect_rows('bookings', (SELECT count(*) FROM done), cardinality(@ids::uuid[]));

-- name: BookingsInsert :exec
INSERT INTO bookings (
    id, slot_id, user_id, during, seats, status, version, queued_version, passes, blocked, blocked_by,
    replaces_booking_id, moved_from, seats_min, expires_at, cancellation_closes_minutes, created_at, updated_at)
SELECT n.id, n.slot_id, n.user_id, tstzrange(n.starts_at, n.ends_at, '[)'), n.seats, n.status, n.version,
       nullif(n.queued_version, 0), n.passes, nullif(n.blocked, ''),
       nullif(n.blocked_by, '00000000-0000-0000-0000-000000000000'),
       nullif(n.replaces_booking_id, '00000000-0000-0000-0000-000000000000'),
       nullif(n.moved_from, '00000000-0000-0000-0000-000000000000'), nullif(n.seats_min, 0),
       nullif(n.expires_at, '0001-01-01T00:00:00Z'), n.cancellation_closes_minutes, @now::timestamptz, @now::timestamptz
FROM (
    SELECT unnest(@ids::uuid[]) AS id,
           unnest(@slot_ids::uuid[]) AS slot_id,
           unnest(@user_ids::uuid[]) AS user_id,
           unnest(@starts::timestamptz[]) AS starts_at,
           unnest(@ends::timestamptz[]) AS ends_at,
           unnest(@seats::int[]) AS seats,
           unnest(@statuses::text[]) AS status,
           unnest(@versions::bigint[]) AS version,
           unnest(@queued_versions::bigint[]) AS queued_version,
           unnest(@passes::int[]) AS passes,
           unnest(@blocked::text[]) AS blocked,
           unnest(@blocked_by::uuid[]) AS blocked_by,
           unnest(@replaces::uuid[]) AS replaces_booking_id,
           unnest(@moved_from::uuid[]) AS moved_from,
           unnest(@seats_min::int[]) AS seats_min,
           unnest(@expires_at::timestamptz[]) AS expires_at,
           unnest(@cancellation_closes_minutes::int[]) AS cancellation_closes_minutes
) n;

-- The live bookings of a slot whose times change get the version of that entry, at most
-- MaxTimeChange of them, and can be cancelled until the new start. Those of which the
-- batch wrote an entry of their own have got their versions already.
-- name: BookingsMoveWithSlot :exec
UPDATE bookings
SET version = @version, updated_at = @now, cancellation_closes_minutes = 0
WHERE slot_id = @slot_id AND is_live(status) AND version < @version;

-- Counters, version and settings in one statement, because slots_no_oversell compares
-- them. New times cascade to the bookings, and the overlap constraint checks each.
-- name: SlotsUpdate :exec
WITH change AS (
    SELECT unnest(@ids::uuid[]) AS id,
           unnest(@expected::bigint[]) AS expected,
           unnest(@versions::bigint[]) AS version,
           unnest(@seats_taken::int[]) AS seats_taken,
           unnest(@waitlist_length::int[]) AS waitlist_length,
           unnest(@waitlist_ready::int[]) AS waitlist_ready,
           unnest(@freed_versions::bigint[]) AS freed_version,
           unnest(@promotion_due_at::timestamptz[]) AS promotion_due_at,
           unnest(@capacities::int[]) AS capacity,
           unnest(@starts::timestamptz[]) AS starts_at,
           unnest(@ends::timestamptz[]) AS ends_at,
           unnest(@statuses::text[]) AS status,
           unnest(@cancelled_at::timestamptz[]) AS cancelled_at,
           unnest(@revisions::bigint[]) AS revision
), done AS (
    UPDATE slots s
    SET version = c.version,
        seats_taken = c.seats_taken,
        waitlist_length = c.waitlist_length,
        waitlist_ready = c.waitlist_ready,
        freed_version = c.freed_version,
        promotion_due_at = nullif(c.promotion_due_at, '0001-01-01T00:00:00Z'),
        capacity = c.capacity,
        starts_at = c.starts_at,
        ends_at = c.ends_at,
        status = c.status,
        cancelled_at = CASE WHEN c.status = 'cancelled' THEN nullif(c.cancelled_at, '0001-01-01T00:00:00Z') END,
        revision = c.revision,
        updated_at = @now::timestamptz
    FROM change c
    WHERE s.id = c.id AND s.version = c.expected
    RETURNING s.id
)
SELECT expect_rows('slots', (SELECT count(*) FROM done), cardinality(@ids::uuid[]));

-- name: LedgerInsert :exec
INSERT INTO ledger (
    slot_id, version, kind, booking_id, user_id, seats, status, capacity, seats_taken, waitlist_length,
    reason, actor, actor_id, cause_slot_id, cause_version, old_starts_at, old_ends_at, new_starts_at, new_ends_at, at)
SELECT n.slot_id, n.version, n.kind,
       nullif(n.booking_id, '00000000-0000-0000-0000-000000000000'),
       nullif(n.user_id, '00000000-0000-0000-0000-000000000000'),
       n.seats, nullif(n.status, ''), n.capacity, n.seats_taken, n.waitlist_length,
       nullif(n.reason, ''), n.actor,
       nullif(n.actor_id, '00000000-0000-0000-0000-000000000000'),
       nullif(n.cause_slot_id, '00000000-0000-0000-0000-000000000000'),
       nullif(n.cause_version, 0),
       nullif(n.old_starts_at, '0001-01-01T00:00:00Z'), nullif(n.old_ends_at, '0001-01-01T00:00:00Z'),
       nullif(n.new_starts_at, '0001-01-01T00:00:00Z'), nullif(n.new_ends_at, '0001-01-01T00:00:00Z'), @at::timestamptz
FROM (
    SELECT unnest(@slot_ids::uuid[]) AS slot_id,
           unnest(@versions::bigint[]) AS version,
           unnest(@kinds::text[]) AS kind,
           unnest(@booking_ids::uuid[]) AS booking_id,
           unnest(@user_ids::uuid[]) AS user_id,
           unnest(@seats::int[]) AS seats,
           unnest(@statuses::text[]) AS status,
           unnest(@capacities::int[]) AS capacity,
           unnest(@seats_taken::int[]) AS seats_taken,
           unnest(@waitlist_lengths::int[]) AS waitlist_length,
           unnest(@reasons::text[]) AS reason,
           unnest(@actors::text[]) AS actor,
           unnest(@actor_ids::uuid[]) AS actor_id,
           unnest(@cause_slot_ids::uuid[]) AS cause_slot_id,
           unnest(@cause_versions::bigint[]) AS cause_version,
           unnest(@old_starts::timestamptz[]) AS old_starts_at,
           unnest(@old_ends::timestamptz[]) AS old_ends_at,
           unnest(@new_starts::timestamptz[]) AS new_starts_at,
           unnest(@new_ends::timestamptz[]) AS new_ends_at
) n;

-- name: IdempotencyKeysInsert :exec
INSERT INTO idempotency_keys (user_id, key, fingerprint, status, header, body)
SELECT unnest(@user_ids::uuid[]), unnest(@keys::text[]), unnest(@fingerprints::bytea[]),
       unnest(@statuses::int[]), unnest(@headers::jsonb[]), unnest(@bodies::bytea[]);

-- Slots are inserted and deleted outside the desk: nobody can have seats in a new one,
-- and nobody ever had seats in one that may be deleted.

-- name: SlotInsert :exec
INSERT INTO slots (id, event_id, starts_at, ends_at, capacity, status, version, created_at, updated_at)
VALUES (@id, @event_id, @starts_at, @ends_at, @capacity, @status, @version, @created_at, @created_at);

-- Locks one slot outside the desk.
-- name: SlotLock :one
SELECT * FROM slots WHERE id = @id FOR NO KEY UPDATE;

-- How many bookings a slot has ever had.
-- name: SlotBookingsCount :one
SELECT count(*) FROM bookings WHERE slot_id = @slot_id;

-- name: SlotDelete :exec
DELETE FROM slots WHERE id = @id;

-- What the ticker polls for. It is read without locks; the commands check it again. Slots
-- whose command fails again and again rest meanwhile: many of them at the head of a list
-- would keep the others from their turn.

-- Slots in which a hold or an offer is due, and started slots with a queue.
-- name: SlotsExpiring :many
(SELECT DISTINCT d.slot_id
 FROM (SELECT slot_id FROM bookings
       WHERE status IN ('held', 'offered') AND expires_at <= (SELECT clock_timestamp())
         AND slot_id <> ALL(@resting::uuid[])
       ORDER BY expires_at
       LIMIT @page::int) d)
UNION
(SELECT w.id FROM slots w
 WHERE w.has_queue AND w.starts_at <= (SELECT clock_timestamp())
   AND w.id <> ALL(@resting::uuid[])
 ORDER BY w.starts_at
 LIMIT @page::int);

-- Slots in which a promotion is due.
-- name: SlotsPromotionDue :many
SELECT id FROM slots
WHERE promotion_due_at IS NOT NULL AND id <> ALL(@resting::uuid[])
ORDER BY promotion_due_at
LIMIT @page::int;

-- Slots with a booking that nothing blocks any more, neither its user's other seats nor
-- the capacity: the backstop for a lost job.
-- name: SlotsUnblockable :many
(SELECT DISTINCT w.slot_id
 FROM bookings w
 JOIN bookings x ON x.id = w.blocked_by
 WHERE w.blocked_by IS NOT NULL AND w.status = 'waitlisted'
   AND (NOT takes_seats(x.status) OR NOT x.during && w.during OR x.id = given_back(w.replaces_booking_id))
   AND w.slot_id <> ALL(@resting::uuid[])
 LIMIT @page::int)
UNION
(SELECT DISTINCT w.slot_id
 FROM bookings w
 JOIN slots s ON s.id = w.slot_id
 WHERE w.blocked = 'capacity' AND w.status = 'waitlisted' AND coalesce(w.seats_min, w.seats) <= s.capacity
   AND w.slot_id <> ALL(@resting::uuid[])
 LIMIT @page::int);

-- Slots with free seats in which a booking stops the queue whose user has got seats
-- elsewhere at that time. It has to be blocked, so that those behind it are served: the
-- backstop for a lost job. What stops the queue is its head or, with first_fit, the first
-- booking that was passed often enough. The booking that it gives back does not count.
-- name: SlotsHeldUp :many
WITH stop AS (
    SELECT s.id AS slot_id, w.*
    FROM slots s
    JOIN events e ON e.id = s.event_id
    CROSS JOIN LATERAL (
        SELECT b.id, b.user_id, b.during, b.replaces_booking_id FROM bookings b
        WHERE b.slot_id = s.id AND b.status = 'waitlisted' AND b.blocked IS NULL
          AND (e.fit = 'strict' OR b.passes >= e.max_passes)
        ORDER BY b.queued_version
        LIMIT 1
    ) w
    WHERE s.has_queue AND s.starts_at > (SELECT clock_timestamp())
      AND s.waitlist_ready > 0 AND s.seats_taken < s.capacity AND s.promotion_due_at IS NULL
      AND s.status <> 'cancelled' AND e.status = 'published'
)
SELECT t.slot_id
FROM stop t
WHERE t.slot_id <> ALL(@resting::uuid[]) AND EXISTS (
    SELECT FROM bookings o
    WHERE o.user_id = t.user_id AND o.during && t.during AND takes_seats(o.status)
      AND o.id IS DISTINCT FROM given_back(t.replaces_booking_id))
LIMIT @page::int;

-- Slots that were cancelled, with whether no booking is left that must end with them: the
-- backstop for a lost job. Those that are done are noted, and not looked at again: the
-- bookings of a cancelled slot only become fewer.
-- name: SlotsToCancelBookings :many
WITH listed AS MATERIALIZED (
    SELECT s.id, NOT EXISTS (
        SELECT FROM bookings b
        WHERE b.slot_id = s.id AND is_live(b.status)
          AND NOT is_final(b.status, b.checked_in_at, b.during, coalesce(s.cancelled_at, e.cancelled_at, now()))) AS is_done
    FROM slots s
    JOIN events e ON e.id = s.event_id
    WHERE s.status = 'cancelled' AND s.bookings_cancelled_at IS NULL
      AND s.id <> ALL(@resting::uuid[])
    ORDER BY s.id
    LIMIT @page::int
), noted AS (
    UPDATE slots
    SET bookings_cancelled_at = clock_timestamp()
    WHERE id IN (SELECT d.id FROM slots d
                 WHERE d.id IN (SELECT l.id FROM listed l WHERE l.is_done)
                 ORDER BY d.id FOR NO KEY UPDATE SKIP LOCKED)
)
SELECT id, is_done::boolean AS is_done FROM listed;

-- Slots that had not ended when their event was cancelled, and are not yet cancelled with
-- it: the backstop for a lost job. Events of which no such slot is left are noted, and not
-- looked at again; they are listed with a nil UUID.
-- name: SlotsToCancel :many
WITH listed AS MATERIALIZED (
    SELECT id, cancelled_at FROM events
    WHERE status = 'cancelled' AND slots_cancelled_at IS NULL
    ORDER BY id
    LIMIT @page::int
), remaining AS MATERIALIZED (
    SELECT l.id AS event_id, s.id
    FROM listed l
    JOIN slots s ON s.event_id = l.id
    WHERE s.status <> 'cancelled' AND s.ends_at > l.cancelled_at
), noted AS (
    UPDATE events
    SET slots_cancelled_at = clock_timestamp()
    WHERE id IN (SELECT d.id FROM events d
                 WHERE d.id IN (SELECT l.id FROM listed l WHERE l.id NOT IN (SELECT r.event_id FROM remaining r))
                 ORDER BY d.id FOR NO KEY UPDATE SKIP LOCKED)
)
SELECT coalesce(r.id, '00000000-0000-0000-0000-000000000000')::uuid AS id, (r.id IS NULL)::boolean AS is_done
FROM listed l
LEFT JOIN remaining r ON r.event_id = l.id
WHERE r.id IS NULL OR r.id <> ALL(@resting::uuid[])
LIMIT @page::int;

-- Deletes a page of old idempotency keys.
-- name: IdempotencyKeysDeleteOld :execrows
DELETE FROM idempotency_keys
WHERE (user_id, key) IN (
    SELECT k.user_id, k.key FROM idempotency_keys k
    WHERE k.created_at < @before
    ORDER BY k.created_at
    LIMIT @page::int
    FOR UPDATE SKIP LOCKED);
