-- The doctor's checks (internal/seating/doctor.go): what the code promises,
-- computed again from the rows, on a live database, in one snapshot.
--
-- Every check answers with what differs, in the same four columns: the slot, the
-- booking, the version, and a sentence for people. An empty answer is health.
-- They read whole tables, so none is meant for a request. What can lawfully
-- differ until a job or a ticker comes is given a minute.
--
-- held, offered and confirmed bookings take seats.

-- The slot's count of taken seats is what its bookings take.
-- name: DoctorSeatsTaken :many
SELECT s.id AS slot_id, NULL::uuid AS booking_id, s.version,
       format('seats_taken is %s, but its bookings take %s', s.seats_taken, coalesce(b.taken, 0))::text AS detail
FROM slots s
LEFT JOIN (
    SELECT slot_id, sum(seats) AS taken FROM bookings
    WHERE status IN ('held', 'offered', 'confirmed')
    GROUP BY slot_id
) b ON b.slot_id = s.id
WHERE s.seats_taken <> coalesce(b.taken, 0)
LIMIT @page::int;

-- The slot's counts of those who wait, and of those among them who are not
-- blocked, are what its bookings say.
-- name: DoctorWaitlist :many
SELECT s.id AS slot_id, NULL::uuid AS booking_id, s.version,
       format('waitlist_length is %s and waitlist_ready %s, but %s bookings wait, %s of them unblocked',
              s.waitlist_length, s.waitlist_ready, coalesce(b.waiting, 0), coalesce(b.ready, 0))::text AS detail
FROM slots s
LEFT JOIN (
    SELECT slot_id, count(*) AS waiting, count(*) FILTER (WHERE blocked IS NULL) AS ready FROM bookings
    WHERE status = 'waitlisted'
    GROUP BY slot_id
) b ON b.slot_id = s.id
WHERE (s.waitlist_length, s.waitlist_ready) <> (coalesce(b.waiting, 0), coalesce(b.ready, 0))
LIMIT @page::int;

-- No slot has given out more seats than it has, by its count or by its bookings.
-- name: DoctorOversell :many
SELECT s.id AS slot_id, NULL::uuid AS booking_id, s.version,
       format('%s seats are taken by its count and %s by its bookings, of a capacity of %s',
              s.seats_taken, coalesce(b.taken, 0), s.capacity)::text AS detail
FROM slots s
LEFT JOIN (
    SELECT slot_id, sum(seats) AS taken FROM bookings
    WHERE status IN ('held', 'offered', 'confirmed')
    GROUP BY slot_id
) b ON b.slot_id = s.id
WHERE s.seats_taken < 0 OR greatest(s.seats_taken, b.taken) > s.capacity
LIMIT @page::int;

-- The ledger of a slot counts 1, 2, 3, … up to the slot's version. The ledger of
-- a slot that was deleted stays; nobody has seats in it or waits.
-- name: DoctorVersions :many
SELECT coalesce(s.id, l.slot_id) AS slot_id, NULL::uuid AS booking_id, l.last AS version,
       CASE WHEN s.id IS NULL AND l.first = 1 AND l.entries = l.last
            THEN 'the slot is gone, but its ledger ends with seats taken or with a queue'
            ELSE format('the ledger has %s entries from %s to %s, and the slot is at version %s',
                        coalesce(l.entries, 0), coalesce(l.first, 0), coalesce(l.last, 0), s.version)
       END::text AS detail
FROM slots s
FULL JOIN (
    SELECT slot_id, count(*) AS entries, min(version) AS first, max(version) AS last FROM ledger
    GROUP BY slot_id
) l ON l.slot_id = s.id
WHERE l.slot_id IS NULL OR l.first <> 1 OR l.entries <> l.last OR s.version <> l.last
   OR (s.id IS NULL AND EXISTS (
           SELECT FROM ledger e
           WHERE e.slot_id = l.slot_id AND e.version = l.last AND (e.seats_taken > 0 OR e.waitlist_length > 0)))
LIMIT @page::int;

-- The counters of an entry are those of the entry before, changed by what this
-- one did to its booking; the capacity changes by edits only.
-- name: DoctorCounters :many
WITH step AS (
    SELECT slot_id, booking_id, version, kind, capacity, seats_taken, waitlist_length,
           CASE WHEN status IN ('held', 'offered', 'confirmed') THEN seats ELSE 0 END AS takes,
           (status IS NOT DISTINCT FROM 'waitlisted')::int AS waits
    FROM ledger
), change AS (
    SELECT slot_id, booking_id, version, kind, capacity, seats_taken, waitlist_length,
           CASE WHEN booking_id IS NULL THEN 0 ELSE takes - coalesce(lag(takes) OVER life, 0) END AS taken_more,
           CASE WHEN booking_id IS NULL THEN 0 ELSE waits - coalesce(lag(waits) OVER life, 0) END AS waiting_more
    FROM step
    WINDOW life AS (PARTITION BY slot_id, booking_id ORDER BY version)
), beside AS (
    SELECT slot_id, booking_id, version, kind, capacity, seats_taken, waitlist_length,
           coalesce(lag(seats_taken) OVER log, 0) + taken_more AS taken_expected,
           coalesce(lag(waitlist_length) OVER log, 0) + waiting_more AS waiting_expected,
           coalesce(lag(capacity) OVER log, capacity) AS capacity_before
    FROM change
    WINDOW log AS (PARTITION BY slot_id ORDER BY version)
)
SELECT slot_id, booking_id, version,
       format('the entry (%s) says %s seats of %s and %s waiting; by the entry before it should be %s of %s, and %s',
              kind, seats_taken, capacity, waitlist_length, taken_expected, capacity_before, waiting_expected)::text AS detail
FROM beside
WHERE seats_taken <> taken_expected OR waitlist_length <> waiting_expected
   OR (capacity <> capacity_before AND kind <> 'edited')
LIMIT @page::int;

-- Bookings live as the picture in README.md has it: no step leads anywhere else,
-- and nothing comes after the end.
-- name: DoctorLives :many
SELECT slot_id, booking_id, version,
       format('the entry (%s) turns the booking from %s to %s', kind, coalesce(was, 'nothing'), status)::text AS detail
FROM (
    SELECT slot_id, booking_id, version, kind, status,
           lag(status) OVER (PARTITION BY slot_id, booking_id ORDER BY version) AS was
    FROM ledger
    WHERE booking_id IS NOT NULL
) step
WHERE NOT CASE coalesce(was, '')
    WHEN '' THEN status IN ('waitlisted', 'held', 'confirmed')
    WHEN 'waitlisted' THEN status IN ('waitlisted', 'offered', 'confirmed', 'cancelled', 'expired')
    WHEN 'held' THEN status IN ('held', 'confirmed', 'cancelled', 'expired')
    WHEN 'offered' THEN status IN ('offered', 'confirmed', 'cancelled', 'expired')
    WHEN 'confirmed' THEN status IN ('confirmed', 'cancelled')
    ELSE false
END
LIMIT @page::int;

-- The slot says what its last entry says.
-- name: DoctorLastEntries :many
SELECT s.id AS slot_id, NULL::uuid AS booking_id, s.version,
       format('the slot has %s seats of %s taken and %s waiting; its last entry says %s of %s, and %s',
              s.seats_taken, s.capacity, s.waitlist_length, l.seats_taken, l.capacity, l.waitlist_length)::text AS detail
FROM slots s
JOIN ledger l ON l.slot_id = s.id AND l.version = s.version
WHERE (s.seats_taken, s.capacity, s.waitlist_length) <> (l.seats_taken, l.capacity, l.waitlist_length)
LIMIT @page::int;

-- A booking is as its last entry left it. No booking is without an entry, and no
-- entry speaks of a booking that is not there.
-- name: DoctorBookings :many
WITH newest AS (
    SELECT slot_id, booking_id, max(version) AS version FROM ledger
    WHERE booking_id IS NOT NULL
    GROUP BY slot_id, booking_id
)
SELECT coalesce(b.slot_id, n.slot_id) AS slot_id, coalesce(b.id, n.booking_id) AS booking_id, n.version,
       CASE WHEN b.id IS NULL THEN 'the ledger speaks of a booking that is not there'
            WHEN n.booking_id IS NULL THEN 'no entry of the ledger speaks of the booking'
            ELSE format('the booking is %s with %s seats at version %s; its last entry says %s with %s at version %s',
                        b.status, b.seats, b.version, l.status, l.seats, n.version)
       END::text AS detail
FROM bookings b
FULL JOIN newest n ON n.booking_id = b.id AND n.slot_id = b.slot_id
LEFT JOIN ledger l ON l.slot_id = n.slot_id AND l.version = n.version
WHERE b.id IS NULL OR n.booking_id IS NULL
   OR (b.status, b.seats, b.version, b.user_id) IS DISTINCT FROM (l.status, l.seats, l.version, l.user_id)
LIMIT @page::int;

-- Places in the queue, blocks and passes are what the ledger gives.
-- name: DoctorQueues :many
WITH queue AS (
    SELECT booking_id,
           max(version) FILTER (WHERE kind = 'waitlisted') AS place,
           max(version) FILTER (WHERE kind = 'blocked')
               > max(version) FILTER (WHERE kind IN ('waitlisted', 'unblocked')) AS blocked,
           count(*) FILTER (WHERE kind = 'passed') AS passes
    FROM ledger
    WHERE kind IN ('waitlisted', 'blocked', 'unblocked', 'passed')
    GROUP BY booking_id
)
SELECT b.slot_id, b.id AS booking_id, b.version,
       format('the booking waits at place %s, blocked %s, passed %s times; the ledger says place %s, blocked %s, passed %s times',
              b.queued_version, b.blocked IS NOT NULL, b.passes, q.place, coalesce(q.blocked, false), coalesce(q.passes, 0))::text AS detail
FROM bookings b
LEFT JOIN queue q ON q.booking_id = b.id
WHERE b.status = 'waitlisted'
  AND (b.queued_version, b.blocked IS NOT NULL, b.passes)
      IS DISTINCT FROM (q.place, coalesce(q.blocked, false), coalesce(q.passes, 0))
LIMIT @page::int;

-- Nobody has two live bookings of one slot.
-- name: DoctorOneLive :many
SELECT slot_id, NULL::uuid AS booking_id, NULL::bigint AS version,
       format('user %s has %s live bookings of the slot', user_id, count(*))::text AS detail
FROM bookings
WHERE status IN ('waitlisted', 'held', 'offered', 'confirmed')
GROUP BY user_id, slot_id
HAVING count(*) > 1
LIMIT @page::int;

-- Nobody has seats in two places at once: ordered by their starts, no booking of
-- a user starts before all earlier ones have ended.
-- name: DoctorOverlaps :many
SELECT slot_id, id AS booking_id, version,
       format('user %s has seats elsewhere until %s, but the slot starts at %s',
              user_id, busy_until, lower(during))::text AS detail
FROM (
    SELECT slot_id, id, version, user_id, during,
           max(upper(during)) OVER (PARTITION BY user_id ORDER BY lower(during), id
                                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_until
    FROM bookings
    WHERE status IN ('held', 'offered', 'confirmed')
) b
WHERE lower(during) < busy_until
LIMIT @page::int;

-- A booking's time is its slot's.
-- name: DoctorTimes :many
SELECT b.slot_id, b.id AS booking_id, b.version,
       format('the booking is for %s, its slot is %s', b.during, coalesce(s.during::text, 'not there'))::text AS detail
FROM bookings b
LEFT JOIN slots s ON s.id = b.slot_id
WHERE s.during IS NULL OR s.during <> b.during
LIMIT @page::int;

-- No queue jumping, replayed from the ledger. Whenever a booking got seats, no
-- other waited unblocked in the same slot with an earlier place (a newcomer's
-- place is behind all), unless that one asked for more than was free, and an
-- entry caused by this step says that it was passed.
--
-- Only where somebody waits can anybody be passed over: that makes it cheap.
-- name: DoctorQueueJumping :many
WITH step AS (
    SELECT slot_id, booking_id, version, kind, status, seats, waitlist_length,
           capacity - seats_taken + seats AS free,
           lag(status) OVER life AS was,
           lead(version) OVER life AS until,
           max(version) FILTER (WHERE kind = 'waitlisted') OVER life AS place
    FROM ledger
    WHERE slot_id IN (SELECT slot_id FROM ledger WHERE kind = 'waitlisted')
      AND (status <> 'waitlisted' OR kind IN ('waitlisted', 'blocked', 'unblocked'))
    WINDOW life AS (PARTITION BY slot_id, booking_id ORDER BY version)
), given AS (
    SELECT slot_id, booking_id, version, free, coalesce(place, version) AS place
    FROM step
    WHERE waitlist_length > 0
      AND status IN ('held', 'offered', 'confirmed')
      AND (was IS NULL OR was = 'waitlisted')
), waiting AS (
    SELECT slot_id, booking_id, version AS since, coalesce(until, 9223372036854775807) AS until, place, seats
    FROM step
    WHERE status = 'waitlisted' AND kind <> 'blocked'
)
SELECT g.slot_id, g.booking_id, g.version,
       format('the booking got seats while booking %s waited at the earlier place %s', w.booking_id, w.place)::text AS detail
FROM given g
JOIN waiting w ON w.slot_id = g.slot_id AND w.since < g.version AND g.version < w.until AND w.place < g.place
WHERE w.seats <= g.free OR NOT EXISTS (
    SELECT FROM ledger p
    WHERE p.kind = 'passed' AND p.booking_id = w.booking_id
      AND p.cause_slot_id = g.slot_id AND p.cause_version = g.version)
LIMIT @page::int;

-- Nobody waits who could be served, unless a promotion is due anyway: the first
-- in the queue that the free seats are enough for, where the fit policy lets it
-- pass those before it, and its user is not busy at that time. (100: lookAhead.)
-- name: DoctorServable :many
WITH waiting AS (
    SELECT b.id, b.slot_id, b.version, b.user_id, b.during, b.seats, b.replaces_booking_id, e.fit,
           s.capacity - s.seats_taken AS free,
           row_number() OVER (PARTITION BY b.slot_id ORDER BY b.queued_version) AS rank,
           coalesce(bool_or(b.passes >= e.max_passes) OVER before, false) AS stops,
           coalesce(bool_or(b.seats <= s.capacity - s.seats_taken) OVER before, false) AS sooner
    FROM slots s
    JOIN events e ON e.id = s.event_id
    JOIN bookings b ON b.slot_id = s.id AND b.status = 'waitlisted' AND b.blocked IS NULL
    WHERE s.promotion_due_at IS NULL AND s.seats_taken < s.capacity
      AND s.status <> 'cancelled' AND e.status = 'published' AND s.starts_at > now()
    WINDOW before AS (PARTITION BY b.slot_id ORDER BY b.queued_version
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT w.slot_id, w.id AS booking_id, w.version,
       format('the booking waits for %s seats, %s are free, nobody comes before it, and no promotion is due', w.seats, w.free)::text AS detail
FROM waiting w
WHERE w.seats <= w.free AND NOT w.sooner
  AND (w.rank = 1 OR (w.fit = 'first_fit' AND w.rank <= 100 AND NOT w.stops))
  AND NOT EXISTS (
      SELECT FROM bookings o
      WHERE o.user_id = w.user_id AND o.during && w.during AND o.id IS DISTINCT FROM w.replaces_booking_id
        AND o.status IN ('held', 'offered', 'confirmed'))
LIMIT @page::int;

-- What an entry names as its cause is there, and came before it.
-- name: DoctorCauses :many
SELECT l.slot_id, l.booking_id, l.version,
       format('the entry (%s) names entry %s of slot %s as its cause, which %s', l.kind, l.cause_version, l.cause_slot_id,
              CASE WHEN c.slot_id IS NULL THEN 'is not there' ELSE 'came later' END)::text AS detail
FROM ledger l
LEFT JOIN ledger c ON c.slot_id = l.cause_slot_id AND c.version = l.cause_version
WHERE l.cause_slot_id IS NOT NULL
  AND (c.slot_id IS NULL OR (c.slot_id = l.slot_id AND c.version >= l.version))
LIMIT @page::int;

-- Nobody is promoted, offered seats or passed without something that made it possible.
-- name: DoctorPromotions :many
SELECT slot_id, booking_id, version, format('the entry (%s) names no cause', kind)::text AS detail
FROM ledger
WHERE kind IN ('promoted', 'offered', 'passed', 'unblocked') AND cause_slot_id IS NULL
LIMIT @page::int;

-- A blocked waiter is really hindered: by a booking of the same user that takes
-- seats at that time, or by the slot's capacity.
-- name: DoctorBlocked :many
SELECT w.slot_id, w.id AS booking_id, w.version,
       CASE WHEN w.blocked = 'capacity' THEN format('the booking is blocked for %s seats, but the slot has %s', w.seats, s.capacity)
            WHEN x.user_id <> w.user_id THEN format('the booking is blocked by booking %s of somebody else', x.id)
            ELSE format('the booking is blocked by booking %s, which is %s for %s', x.id, coalesce(x.status, 'not there'), x.during)
       END::text AS detail
FROM bookings w
JOIN slots s ON s.id = w.slot_id
LEFT JOIN bookings x ON x.id = w.blocked_by
LEFT JOIN slots xs ON xs.id = x.slot_id
WHERE w.status = 'waitlisted' AND w.blocked IS NOT NULL
  AND CASE w.blocked
      WHEN 'capacity' THEN w.seats <= s.capacity AND s.updated_at < now() - interval '1 minute'
      ELSE x.user_id IS DISTINCT FROM w.user_id
        OR (x.status NOT IN ('held', 'offered', 'confirmed') AND x.updated_at < now() - interval '1 minute')
        OR (NOT x.during && w.during AND xs.updated_at < now() - interval '1 minute')
      END
LIMIT @page::int;

-- Neither holds nor offers outlast the start of their slot.
-- name: DoctorDeadlines :many
SELECT slot_id, id AS booking_id, version,
       format('the booking is %s until %s, after the start of its slot', status, expires_at)::text AS detail
FROM bookings
WHERE status IN ('held', 'offered') AND (expires_at IS NULL OR expires_at > lower(during))
LIMIT @page::int;

-- What should have expired by now: a sign that no worker runs.
-- name: DoctorOverdue :many
SELECT b.slot_id, b.id AS booking_id, b.version,
       CASE b.status WHEN 'waitlisted' THEN format('the booking still waits, but its slot started at %s', lower(b.during))
                     ELSE format('the booking is still %s, but only until %s', b.status, b.expires_at)
       END::text AS detail
FROM bookings b
WHERE (b.status IN ('held', 'offered') AND b.expires_at < now() - interval '1 minute')
   OR (b.status = 'waitlisted' AND lower(b.during) < now() - interval '1 minute')
LIMIT @page::int;

-- What should have been done by now: promotions that are due, and slots that
-- were cancelled with bookings left. A sign that no worker runs.
-- name: DoctorPending :many
SELECT s.id AS slot_id, NULL::uuid AS booking_id, s.version,
       CASE WHEN s.promotion_due_at IS NOT NULL THEN format('a promotion is due since %s', s.promotion_due_at)
            ELSE format('the slot was cancelled, but %s seats are still taken and %s bookings wait', s.seats_taken, s.waitlist_length)
       END::text AS detail
FROM slots s
JOIN events e ON e.id = s.event_id
WHERE s.promotion_due_at < now() - interval '1 minute'
   OR ((s.status = 'cancelled' OR e.status = 'cancelled')
       AND (s.seats_taken > 0 OR s.waitlist_length > 0)
       AND greatest(s.updated_at, e.updated_at) < now() - interval '1 minute')
LIMIT @page::int;

-- Stored answers are ones that may be stored (successes and conflicts), not from
-- the future, and not long past their day.
-- name: DoctorIdempotencyKeys :many
SELECT NULL::uuid AS slot_id, NULL::uuid AS booking_id, NULL::bigint AS version,
       format('the key of user %s of %s keeps an answer with status %s', user_id, created_at, status)::text AS detail
FROM idempotency_keys
WHERE NOT (status BETWEEN 200 AND 299 OR status = 409)
   OR created_at > now() + interval '1 minute' OR created_at < now() - interval '2 days'
LIMIT @page::int;

-- An event spans its slots: those that are not cancelled, or all when all are.
-- name: DoctorEventSpans :many
SELECT NULL::uuid AS slot_id, NULL::uuid AS booking_id, NULL::bigint AS version,
       format('event %s is said to last from %s to %s; its slots last from %s to %s', e.id,
              coalesce(e.starts_at::text, 'nothing'), coalesce(e.ends_at::text, 'nothing'),
              coalesce(s.starts_at::text, 'nothing'), coalesce(s.ends_at::text, 'nothing'))::text AS detail
FROM events e
LEFT JOIN (
    SELECT event_id,
           coalesce(min(starts_at) FILTER (WHERE status <> 'cancelled'), min(starts_at)) AS starts_at,
           coalesce(max(ends_at) FILTER (WHERE status <> 'cancelled'), max(ends_at)) AS ends_at
    FROM slots
    GROUP BY event_id
) s ON s.event_id = e.id
WHERE (e.starts_at, e.ends_at) IS DISTINCT FROM (s.starts_at, s.ends_at)
LIMIT @page::int;
