-- Events and their slots as organizers edit them and everybody finds them. What
-- changes seats is in seating.sql.
--
-- Lock order: slots by id, then their event's row, then the user of an idempotency key.
-- The desk reads an event's settings after it has locked a slot, so settings that seats
-- depend on change only while all slots of the event are locked.

-- The parameters are those of EventUpdate, in the same order: one mapping writes both.
-- name: EventInsert :exec
INSERT INTO events (
    title, description, location, time_zone, booking_opens_at, booking_closes_at,
    cancellation_closes_minutes, waitlist_mode, waitlist_limit, offer_minutes, fit, max_passes, hold_minutes, walk_ins,
    max_seats_per_booking, max_seats_per_user, id, organizer_id)
VALUES (
    @title, @description, @location, @time_zone, sqlc.narg('booking_opens_at'), sqlc.narg('booking_closes_at'),
    @cancellation_closes_minutes, @waitlist_mode, sqlc.narg('waitlist_limit'), @offer_minutes, @fit, @max_passes, @hold_minutes, @walk_ins,
    sqlc.narg('max_seats_per_booking'), sqlc.narg('max_seats_per_user'), @id, @organizer_id);

-- An event with the number of its slots and their free seats. A cancelled event has none
-- available.
-- name: EventGet :one
SELECT
    e.id, e.organizer_id, e.title, e.description, e.location, e.time_zone, e.status, e.revision,
    e.booking_opens_at, e.booking_closes_at, e.cancellation_closes_minutes, e.waitlist_mode, e.waitlist_limit,
    e.offer_minutes, e.fit, e.max_passes, e.hold_minutes, e.walk_ins, e.max_seats_per_booking, e.max_seats_per_user, e.published_at, e.cancelled_at, e.cancellation_reason,
    e.created_at, e.updated_at, e.starts_at, e.ends_at,
    sums.slot_count, sums.seats_available
FROM events e
CROSS JOIN LATERAL (
    SELECT count(*) AS slot_count,
           coalesce(sum(s.capacity - s.seats_taken) FILTER (
               WHERE s.status = 'open' AND e.status <> 'cancelled'
                 AND CASE WHEN e.walk_ins THEN s.ends_at ELSE s.starts_at END > statement_timestamp()), 0)::bigint AS seats_available
    FROM slots s
    WHERE s.event_id = e.id
) sums
WHERE e.id = @id;

-- A page of events that match all filters, by start or by creation, forwards or
-- backwards, with their seats as EventGet has them.
--
-- This query, EventHorizon and EventPeriods are planned for their parameters each time
-- (postgres.Planned). Then conditions on unused parameters disappear, and the rest reads an
-- index from the key on. That an index has the order is not enough where the events that
-- match are far away. So list.go reads some lists in parts, and chooses the way to a page:
--
--   running_at  those who go on at that time are found by their spans, and sorted
--   by_period   by creation: a page of each period of the starts, merged; otherwise
--               periods has one element, which means nothing
--   until       the page may come out too short: no event after that key is looked at
--   by_words    the index of words finds those who match, and they are sorted; otherwise
--               the words are compared row by row, because that index lists all that have
--               a frequent word before anything else is looked at
-- name: EventList :many
SELECT
    e.id, e.organizer_id, e.title, e.description, e.location, e.time_zone, e.status, e.revision,
    e.booking_opens_at, e.booking_closes_at, e.cancellation_closes_minutes, e.waitlist_mode, e.waitlist_limit,
    e.offer_minutes, e.fit, e.max_passes, e.hold_minutes, e.walk_ins, e.max_seats_per_booking, e.max_seats_per_user, e.published_at, e.cancelled_at, e.cancellation_reason,
    e.created_at, e.updated_at, e.starts_at, e.ends_at,
    sums.slot_count, sums.seats_available
FROM (
    SELECT e.*
    FROM (SELECT unnest(@periods::timestamptz[]) AS period) l
    CROSS JOIN LATERAL (
        -- Whether an event has free seats is looked up after the sort (OFFSET 0 keeps it
        -- there), event by event until the page is full.
        SELECT e.*
        FROM (
            SELECT e.*, sort.key
            FROM events e
            CROSS JOIN LATERAL (SELECT CASE WHEN @by_start::boolean THEN e.starts_at ELSE e.created_at END AS key) plain
            -- What is found otherwise hides the order of the indexes.
            CROSS JOIN LATERAL (
                SELECT CASE WHEN @by_words::boolean OR sqlc.narg('running_at')::timestamptz IS NOT NULL
                            THEN plain.key + interval '0' ELSE plain.key END AS key) sort
            WHERE (e.status <> 'draft' OR @all_drafts::boolean OR e.organizer_id = sqlc.narg('drafts_of')::uuid)
              AND (sqlc.narg('organizer_id')::uuid IS NULL OR e.organizer_id = sqlc.narg('organizer_id')::uuid)
              AND (sqlc.narg('starts_after')::timestamptz IS NULL OR e.starts_at > sqlc.narg('starts_after')::timestamptz)
              AND (sqlc.narg('starts_by')::timestamptz IS NULL OR e.starts_at <= sqlc.narg('starts_by')::timestamptz)
              AND (sqlc.narg('ends_by')::timestamptz IS NULL OR e.ends_at <= sqlc.narg('ends_by')::timestamptz)
              AND (sqlc.narg('running_at')::timestamptz IS NULL
                   OR e.starts_at IS NOT NULL AND tstzrange(e.starts_at, e.ends_at) @> sqlc.narg('running_at')::timestamptz)
              AND (NOT @dateless::boolean OR e.starts_at IS NULL)
              AND (NOT @by_period::boolean OR period_of(e.starts_at) = l.period)
              AND (sqlc.narg('words')::text IS NULL
                   OR CASE WHEN @by_words::boolean
                           THEN e.search @@ websearch_to_tsquery('simple', sqlc.narg('words')::text)
                           ELSE (e.search @@ websearch_to_tsquery('simple', sqlc.narg('words')::text)) IS TRUE
                      END)
              AND CASE WHEN @backwards::boolean
                      THEN (sort.key, e.id) < (@after_key::timestamptz, @after_id::uuid)
                      ELSE (sort.key, e.id) > (@after_key::timestamptz, @after_id::uuid)
                  END
              AND (sqlc.narg('until')::timestamptz IS NULL
                   OR CASE WHEN @backwards::boolean
                           THEN sort.key >= sqlc.narg('until')::timestamptz
                           ELSE sort.key <= sqlc.narg('until')::timestamptz
                      END)
            ORDER BY CASE WHEN NOT @backwards::boolean THEN sort.key END, CASE WHEN NOT @backwards::boolean THEN e.id END,
                     CASE WHEN @backwards::boolean THEN sort.key END DESC, CASE WHEN @backwards::boolean THEN e.id END DESC
            OFFSET 0
        ) e
        -- Not EXISTS: the planner would read all slots for that.
        WHERE sqlc.narg('available')::boolean IS NULL OR sqlc.narg('available')::boolean = (e.status = 'published' AND (
                  SELECT true FROM slots s
                  WHERE s.event_id = e.id AND s.status = 'open' AND s.seats_taken < s.capacity
                    AND CASE WHEN e.walk_ins THEN s.ends_at ELSE s.starts_at END > statement_timestamp()
                  LIMIT 1) IS NOT NULL)
        LIMIT @page::int
    ) e
    ORDER BY CASE WHEN NOT @backwards::boolean THEN e.key END, CASE WHEN NOT @backwards::boolean THEN e.id END,
             CASE WHEN @backwards::boolean THEN e.key END DESC, CASE WHEN @backwards::boolean THEN e.id END DESC
    LIMIT @page::int
) e
CROSS JOIN LATERAL (
    SELECT count(*) AS slot_count,
           coalesce(sum(s.capacity - s.seats_taken) FILTER (
               WHERE s.status = 'open' AND e.status <> 'cancelled'
                 AND CASE WHEN e.walk_ins THEN s.ends_at ELSE s.starts_at END > statement_timestamp()), 0)::bigint AS seats_available
    FROM slots s
    WHERE s.event_id = e.id
) sums
ORDER BY CASE WHEN NOT @backwards::boolean THEN e.key END, CASE WHEN NOT @backwards::boolean THEN e.id END,
         CASE WHEN @backwards::boolean THEN e.key END DESC, CASE WHEN @backwards::boolean THEN e.id END DESC;

-- The key until which a list has some steps of events after another key: so many in one of
-- its periods, and at most as many in each of the others. No row: there are no more. The
-- events are those of EventList's part and organizer, without its other conditions: the
-- indexes have all that is asked for.
-- name: EventHorizon :many
SELECT h.key::timestamptz AS key
FROM (SELECT unnest(@periods::timestamptz[]) AS period) l
CROSS JOIN LATERAL (
    SELECT sort.key
    FROM events e
    CROSS JOIN LATERAL (SELECT CASE WHEN @by_start::boolean THEN e.starts_at ELSE e.created_at END AS key) sort
    WHERE (sqlc.narg('organizer_id')::uuid IS NULL OR e.organizer_id = sqlc.narg('organizer_id')::uuid)
      AND (NOT @dateless::boolean OR e.starts_at IS NULL)
      AND (NOT @by_period::boolean OR period_of(e.starts_at) = l.period)
      AND (sqlc.narg('starts_after')::timestamptz IS NULL OR e.starts_at > sqlc.narg('starts_after')::timestamptz)
      AND (sqlc.narg('starts_by')::timestamptz IS NULL OR e.starts_at <= sqlc.narg('starts_by')::timestamptz)
      AND CASE WHEN @backwards::boolean THEN sort.key < @after_key::timestamptz ELSE sort.key > @after_key::timestamptz END
    ORDER BY CASE WHEN NOT @backwards::boolean THEN sort.key END, CASE WHEN @backwards::boolean THEN sort.key END DESC
    OFFSET @steps::int
    LIMIT 1
) h
ORDER BY CASE WHEN NOT @backwards::boolean THEN h.key END, CASE WHEN @backwards::boolean THEN h.key END DESC
LIMIT 1;

-- The periods with events that start in some time.
-- name: EventPeriods :many
WITH RECURSIVE periods AS (
    SELECT (
        SELECT period_of(e.starts_at) FROM events e
        WHERE period_of(e.starts_at) >= period_of(coalesce(sqlc.narg('starts_after')::timestamptz, '-infinity'))
        ORDER BY period_of(e.starts_at)
        LIMIT 1) AS period
    UNION ALL
    SELECT (
        SELECT period_of(e.starts_at) FROM events e
        WHERE period_of(e.starts_at) > p.period
        ORDER BY period_of(e.starts_at)
        LIMIT 1)
    FROM periods p
    WHERE p.period < period_of(coalesce(sqlc.narg('starts_by')::timestamptz, 'infinity'))
)
SELECT period::timestamptz AS period FROM periods WHERE period <= period_of(coalesce(sqlc.narg('starts_by')::timestamptz, 'infinity'));

-- Locks an event's row, so that its settings and its status do not change, and no slot
-- is added or removed.
-- name: EventLock :one
SELECT organizer_id, status, revision FROM events WHERE id = @id FOR NO KEY UPDATE;

-- name: EventUpdate :exec
UPDATE events
SET title = @title, description = @description, location = @location, time_zone = @time_zone,
    booking_opens_at = sqlc.narg('booking_opens_at'), booking_closes_at = sqlc.narg('booking_closes_at'),
    cancellation_closes_minutes = @cancellation_closes_minutes, waitlist_mode = @waitlist_mode,
    waitlist_limit = sqlc.narg('waitlist_limit'), offer_minutes = @offer_minutes, fit = @fit, max_passes = @max_passes, hold_minutes = @hold_minutes,
    walk_ins = @walk_ins,
    max_seats_per_booking = sqlc.narg('max_seats_per_booking'), max_seats_per_user = sqlc.narg('max_seats_per_user'),
    -- What was asked for before is not measured by the new limits.
    seats_limited_at = CASE
        WHEN (max_seats_per_booking, max_seats_per_user) IS DISTINCT FROM (sqlc.narg('max_seats_per_booking')::int, sqlc.narg('max_seats_per_user')::int)
        THEN clock_timestamp() ELSE seats_limited_at END,
    revision = revision + 1, updated_at = clock_timestamp()
WHERE id = @id AND organizer_id = @organizer_id;

-- How many drafts an organizer has.
-- name: EventDraftsCount :one
SELECT count(*) FROM events WHERE organizer_id = @organizer_id AND status = 'draft';

-- How many slots of an event are not cancelled, and when the last of them start and end.
-- name: EventLastSlots :one
SELECT count(*) AS slots, coalesce(max(s.starts_at), 'epoch')::timestamptz AS last_start,
       coalesce(max(s.ends_at), 'epoch')::timestamptz AS last_end, clock_timestamp()::timestamptz AS now
FROM slots s
WHERE s.event_id = @event_id AND s.status <> 'cancelled';

-- name: EventPublish :exec
UPDATE events
SET status = 'published', published_at = clock_timestamp(), revision = revision + 1, updated_at = clock_timestamp()
WHERE id = @id;

-- name: EventCancel :exec
UPDATE events
SET status = 'cancelled', cancelled_at = clock_timestamp(), cancellation_reason = @reason::text,
    revision = revision + 1, updated_at = clock_timestamp()
WHERE id = @id;

-- name: EventDelete :exec
DELETE FROM events WHERE id = @id;

-- Locks the slots of an event, in id order.
-- name: EventSlotsLock :exec
SELECT FROM slots WHERE event_id = @event_id ORDER BY id FOR NO KEY UPDATE;

-- Locks the slots that were added since, once the event's row is locked and no more can
-- be added. This is against the lock order, so it does not wait: if another transaction
-- has locked one, it fails, and the transaction runs again.
-- name: EventSlotsLockRest :many
SELECT id, waitlist_length FROM slots WHERE event_id = @event_id ORDER BY id FOR NO KEY UPDATE NOWAIT;

-- The slots that had not ended when their event was cancelled.
-- name: EventSlotsToCancel :many
SELECT s.id
FROM slots s
JOIN events e ON e.id = s.event_id
WHERE s.event_id = @event_id AND s.ends_at > e.cancelled_at
ORDER BY s.id;

-- How many slots an event has, and the time now.
-- name: EventSlotsCount :one
SELECT count(*) AS slots, clock_timestamp()::timestamptz AS now FROM slots WHERE event_id = @event_id;

-- A slot with its event's organizer and status, and the time now.
-- name: SlotGet :one
SELECT sqlc.embed(s), e.organizer_id, e.status AS event_status, clock_timestamp()::timestamptz AS now
FROM slots s
JOIN events e ON e.id = s.event_id
WHERE s.id = @id;

-- An event's slots by their start.
-- name: SlotList :many
SELECT sqlc.embed(s), e.organizer_id, e.status AS event_status, clock_timestamp()::timestamptz AS now
FROM slots s
JOIN events e ON e.id = s.event_id
WHERE s.event_id = @event_id AND (s.starts_at, s.id) > (@after_start::timestamptz, @after_id::uuid)
ORDER BY s.starts_at, s.id
LIMIT @page::int;

-- A slot's ledger from a version on.
-- name: LedgerList :many
SELECT * FROM ledger
WHERE slot_id = @slot_id AND version > @after_version
ORDER BY version
LIMIT @page::int;
