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
-- backwards.
--
-- It is planned for its parameters each time (postgres.Planned). Then conditions on unused
-- parameters disappear, and the rest reads an index from the key on. That an index has the
-- order is not enough where the events that match are far away. So list.go reads some
-- lists in parts:
--
--   running   the events that have begun by a time (ends_after) and end after it
--   starting  the events that start after that time
--   dateless  the events without a start, by creation: an index that is read backwards
--             has its nulls first
--   all       without such a condition
--
-- and chooses the way to a page:
--
--   walk      in the order of an index, from the key on
--   near      the same, but only some steps: the page may come out too short
--   weekly    by creation: a page of each week of the starts, merged
--   gather    all that match, sorted afterwards: the key hides the order of the indexes
-- name: EventList :many
WITH RECURSIVE bound AS NOT MATERIALIZED (
    SELECT t.ends_after, t.starts_after, t.starts_by,
           CASE WHEN NOT @by_start::boolean THEN @after_key::timestamptz
                WHEN @backwards::boolean THEN least(@after_key, t.starts_by)
                ELSE greatest(@after_key, t.starts_after) END AS key
    FROM (
        SELECT u.ends_after,
               greatest(CASE WHEN @phase::text = 'upcoming' THEN statement_timestamp() END,
                        CASE WHEN @part::text = 'starting' THEN u.ends_after END) AS starts_after,
               least(sqlc.narg('starts_before')::timestamptz,
                     CASE WHEN @phase::text IN ('ongoing', 'past') THEN statement_timestamp() END,
                     CASE WHEN @part::text = 'running' THEN u.ends_after END) AS starts_by
        FROM (
            -- What has free seats has not ended.
            SELECT greatest(sqlc.narg('ends_after')::timestamptz,
                            CASE WHEN @phase::text = 'ongoing' OR sqlc.narg('available')::boolean THEN statement_timestamp() END) AS ends_after
        ) u
    ) t
), horizon AS (
    SELECT sort.key
    FROM bound
    CROSS JOIN events h
    CROSS JOIN LATERAL (SELECT CASE WHEN @by_start::boolean THEN h.starts_at ELSE h.created_at END AS key) sort
    WHERE CASE WHEN @backwards::boolean THEN sort.key < bound.key ELSE sort.key > bound.key END
    ORDER BY CASE WHEN NOT @backwards::boolean THEN sort.key END, CASE WHEN @backwards::boolean THEN sort.key END DESC
    OFFSET @steps::int
    LIMIT 1
), weeks AS (
    SELECT (
        SELECT week_of(f.starts_at)
        FROM bound
        CROSS JOIN events f
        WHERE week_of(f.starts_at) >= week_of(coalesce(bound.starts_after, '-infinity'))
        ORDER BY week_of(f.starts_at)
        LIMIT 1) AS week
    UNION ALL
    SELECT (
        SELECT week_of(f.starts_at)
        FROM bound
        CROSS JOIN events f
        WHERE week_of(f.starts_at) > w.week AND week_of(f.starts_at) <= week_of(coalesce(bound.starts_by, 'infinity'))
        ORDER BY week_of(f.starts_at)
        LIMIT 1)
    FROM weeks w
    WHERE w.week IS NOT NULL
)
SELECT
    e.id, e.organizer_id, e.title, e.description, e.location, e.time_zone, e.status, e.revision,
    e.booking_opens_at, e.booking_closes_at, e.cancellation_closes_minutes, e.waitlist_mode, e.waitlist_limit,
    e.offer_minutes, e.fit, e.max_passes, e.hold_minutes, e.walk_ins, e.max_seats_per_booking, e.max_seats_per_user, e.published_at, e.cancelled_at, e.cancellation_reason,
    e.created_at, e.updated_at, e.starts_at, e.ends_at,
    sums.slot_count, sums.seats_available
FROM (
    SELECT e.*
    FROM (
        SELECT NULL::timestamptz AS week WHERE @way::text <> 'weekly'
        UNION ALL
        SELECT k.week FROM weeks k WHERE @way::text = 'weekly'
    ) w
    CROSS JOIN LATERAL (
        SELECT e.*, sort.key
        FROM bound
        CROSS JOIN events e
        CROSS JOIN LATERAL (SELECT CASE WHEN @by_start::boolean THEN e.starts_at ELSE e.created_at END AS key) plain
        CROSS JOIN LATERAL (SELECT CASE WHEN @way::text = 'gather' THEN plain.key + interval '0' ELSE plain.key END AS key) sort
        WHERE (e.status <> 'draft' OR @all_drafts::boolean OR e.organizer_id = sqlc.narg('drafts_of')::uuid)
          AND (sqlc.narg('organizer_id')::uuid IS NULL OR e.organizer_id = sqlc.narg('organizer_id')::uuid)
          AND (sqlc.narg('words')::text IS NULL OR e.search @@ websearch_to_tsquery('simple', sqlc.narg('words')::text))
          AND CASE @part::text
                  WHEN 'running' THEN e.starts_at IS NOT NULL AND tstzrange(e.starts_at, e.ends_at) @> bound.ends_after
                  WHEN 'starting' THEN e.starts_at > bound.ends_after
                  WHEN 'dateless' THEN e.starts_at IS NULL
                  ELSE true
              END
          AND (sqlc.narg('starts_before')::timestamptz IS NULL OR e.starts_at < sqlc.narg('starts_before')::timestamptz)
          AND CASE @phase::text
                  WHEN 'upcoming' THEN e.starts_at > statement_timestamp()
                  WHEN 'ongoing' THEN e.starts_at <= statement_timestamp() AND e.ends_at > statement_timestamp()
                  -- The second condition follows from the first; the index needs it.
                  WHEN 'past' THEN e.ends_at <= statement_timestamp() AND e.starts_at <= statement_timestamp()
                  ELSE true
              END
          -- Not EXISTS: the planner would read all slots for that.
          AND (sqlc.narg('available')::boolean IS NULL OR sqlc.narg('available')::boolean = (e.status = 'published' AND (
                  SELECT true FROM slots s
                  WHERE s.event_id = e.id AND s.status = 'open' AND s.seats_taken < s.capacity
                    AND CASE WHEN e.walk_ins THEN s.ends_at ELSE s.starts_at END > statement_timestamp()
                  LIMIT 1) IS NOT NULL))
          AND CASE WHEN @backwards::boolean
                  THEN (sort.key, e.id) < (bound.key, @after_id::uuid)
                  ELSE (sort.key, e.id) > (bound.key, @after_id::uuid)
              END
          AND CASE WHEN @way::text <> 'near' THEN true
                   WHEN @backwards::boolean THEN sort.key >= coalesce((SELECT h.key FROM horizon h), '-infinity')
                   ELSE sort.key <= coalesce((SELECT h.key FROM horizon h), 'infinity')
              END
          AND (@way::text <> 'weekly' OR week_of(e.starts_at) = w.week)
        ORDER BY CASE WHEN NOT @backwards::boolean THEN sort.key END, CASE WHEN NOT @backwards::boolean THEN e.id END,
                 CASE WHEN @backwards::boolean THEN sort.key END DESC, CASE WHEN @backwards::boolean THEN e.id END DESC
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
