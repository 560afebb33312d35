-- The doctor's checks (internal/audit/doctor.go): the invariants, computed again from
-- the rows of a live database.
--
-- Every check returns what is wrong, in the same four columns: the slot, the booking
-- and the version (a nil UUID or 0 if it is about none), and a sentence for people.
-- Together its pages read whole tables, so none may be used for a request. What may
-- differ until a job or a ticker has run is ignored for a minute.
--
-- A check looks at one page at a time: at what belongs to the slots (users, events)
-- with the ids from first to last. A page is one statement and so one snapshot. Three
-- rules keep the cost of a page that of its rows, however large the tables are:
-- * Each table of the page is limited to it: the planner does not derive
--   x.slot_id BETWEEN … from x.slot_id = y.slot_id.
-- * A row outside the page is found by LATERAL (… LIMIT 1) or by a scalar subquery,
--   which stay lookups in an index. A join or EXISTS may hash the whole table.
-- * No join compares the rows of a slot with each other: its queue may be long.
-- Some say in the outer query again what the page is, so that sqlc gives all of them the
-- same parameters in the same order.
--
-- held, offered and confirmed bookings take seats.

-- A slot's seats_taken is the sum of what its bookings take.
-- name: DoctorSeatsTaken :many
SELECT s.id AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, s.version,
       format('seats_taken is %s, but its bookings take %s', s.seats_taken, coalesce(b.taken, 0))::text AS detail
FROM slots s
LEFT JOIN (
    SELECT slot_id, sum(seats) AS taken FROM bookings
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND takes_seats(status)
    GROUP BY slot_id
) b ON b.slot_id = s.id
WHERE s.id BETWEEN @first::uuid AND @last::uuid AND s.seats_taken <> coalesce(b.taken, 0)
LIMIT @findings::int;

-- A slot's counts of waiting bookings, and of those that are not blocked, are right.
-- name: DoctorWaitlist :many
SELECT s.id AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, s.version,
       format('waitlist_length is %s and waitlist_ready %s; of the bookings, %s wait and %s are unblocked',
              s.waitlist_length, s.waitlist_ready, coalesce(b.waiting, 0), coalesce(b.ready, 0))::text AS detail
FROM slots s
LEFT JOIN (
    SELECT slot_id, count(*) AS waiting, count(*) FILTER (WHERE blocked IS NULL) AS ready FROM bookings
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND status = 'waitlisted'
    GROUP BY slot_id
) b ON b.slot_id = s.id
WHERE s.id BETWEEN @first::uuid AND @last::uuid
  AND (s.waitlist_length, s.waitlist_ready) <> (coalesce(b.waiting, 0), coalesce(b.ready, 0))
LIMIT @findings::int;

-- No slot has more seats taken than its capacity, by its count or by its bookings.
-- name: DoctorOversell :many
SELECT s.id AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, s.version,
       format('its count says %s seats_taken, and its bookings %s, of a capacity of %s',
              s.seats_taken, coalesce(b.taken, 0), s.capacity)::text AS detail
FROM slots s
LEFT JOIN (
    SELECT slot_id, sum(seats) AS taken FROM bookings
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND takes_seats(status)
    GROUP BY slot_id
) b ON b.slot_id = s.id
WHERE s.id BETWEEN @first::uuid AND @last::uuid
  AND (s.seats_taken < 0 OR greatest(s.seats_taken, b.taken) > s.capacity)
LIMIT @findings::int;

-- The versions of a slot's ledger are 1, 2, 3, … up to the slot's version. The ledger
-- of a deleted slot stays, and ends without taken seats and without a queue.
-- name: DoctorVersions :many
SELECT coalesce(s.id, l.slot_id)::uuid AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, coalesce(l.last, 0)::bigint AS version,
       CASE WHEN s.id IS NULL AND l.first = 1 AND l.entries = l.last
            THEN 'the slot is gone, but its ledger ends with seats taken or with a queue'
            ELSE format('the ledger counts %s from version %s to %s, and the slot is at version %s',
                        coalesce(l.entries, 0), coalesce(l.first, 0), coalesce(l.last, 0), s.version)
       END::text AS detail
FROM (SELECT id, version FROM slots WHERE id BETWEEN @first::uuid AND @last::uuid) s
FULL JOIN (
    SELECT slot_id, count(*) AS entries, min(version) AS first, max(version) AS last FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid
    GROUP BY slot_id
) l ON l.slot_id = s.id
WHERE l.slot_id IS NULL OR l.first <> 1 OR l.entries <> l.last OR s.version <> l.last
   OR (s.id IS NULL AND (
           SELECT e.seats_taken > 0 OR e.waitlist_length > 0 FROM ledger e
           WHERE e.slot_id = l.slot_id AND e.version = l.last))
LIMIT @findings::int;

-- The counters of an entry are those of the entry before, changed by what the entry
-- did to its booking. Only edits change the capacity.
-- name: DoctorCounters :many
WITH beside AS (
    SELECT slot_id, booking_id, version, kind, capacity, seats_taken, waitlist_length,
           CASE WHEN takes_seats(status) THEN seats ELSE 0 END AS takes,
           (status IS NOT DISTINCT FROM 'waitlisted')::int AS waits,
           coalesce(lag(seats_taken) OVER log, 0) AS taken_before,
           coalesce(lag(waitlist_length) OVER log, 0) AS waiting_before,
           coalesce(lag(capacity) OVER log, capacity) AS capacity_before
    FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid
    WINDOW log AS (PARTITION BY slot_id ORDER BY version)
), change AS (
    SELECT slot_id, booking_id, version, kind, capacity, seats_taken, waitlist_length, capacity_before,
           taken_before + CASE WHEN booking_id IS NULL THEN 0 ELSE takes - coalesce(lag(takes) OVER life, 0) END AS taken_expected,
           waiting_before + CASE WHEN booking_id IS NULL THEN 0 ELSE waits - coalesce(lag(waits) OVER life, 0) END AS waiting_expected
    FROM beside
    WINDOW life AS (PARTITION BY slot_id, booking_id ORDER BY version)
)
SELECT slot_id, coalesce(booking_id, '00000000-0000-0000-0000-000000000000')::uuid AS booking_id, version,
       format('the entry (%s) says %s of %s seats and %s waiting; by the entry before it should be %s of %s, and %s',
              kind, seats_taken, capacity, waitlist_length, taken_expected, capacity_before, waiting_expected)::text AS detail
FROM change
WHERE slot_id BETWEEN @first::uuid AND @last::uuid
  AND (seats_taken <> taken_expected OR waitlist_length <> waiting_expected
       OR (capacity <> capacity_before AND (kind <> 'edited' OR booking_id IS NOT NULL)))
LIMIT @findings::int;

-- Bookings change their status only as docs/architecture.md shows, and never after
-- they have ended.
-- name: DoctorLives :many
SELECT slot_id, coalesce(booking_id, '00000000-0000-0000-0000-000000000000')::uuid AS booking_id, version,
       format('the entry (%s) turns the booking from %s to %s', kind, coalesce(was, 'nothing'), status)::text AS detail
FROM (
    SELECT slot_id, booking_id, version, kind, status,
           lag(status) OVER (PARTITION BY slot_id, booking_id ORDER BY version) AS was
    FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND booking_id IS NOT NULL
) step
WHERE NOT CASE kind
    WHEN 'waitlisted' THEN was IS NULL AND status = 'waitlisted'
    WHEN 'held' THEN was IS NULL AND status = 'held'
    WHEN 'confirmed' THEN coalesce(was, 'held') = 'held' AND status = 'confirmed'
    WHEN 'cancelled' THEN coalesce(was, '') IN ('waitlisted', 'held', 'offered', 'confirmed') AND status = 'cancelled'
    WHEN 'expired' THEN coalesce(was, '') IN ('waitlisted', 'held', 'offered') AND status = 'expired'
    WHEN 'resized' THEN coalesce(was, '') IN ('waitlisted', 'held', 'offered', 'confirmed') AND status = was
    WHEN 'edited' THEN coalesce(was, '') IN ('held', 'offered') AND status = was
    ELSE (kind, coalesce(was, ''), status) IN (
        ('promoted', 'waitlisted', 'confirmed'), ('offered', 'waitlisted', 'offered'),
        ('passed', 'waitlisted', 'waitlisted'), ('blocked', 'waitlisted', 'waitlisted'), ('unblocked', 'waitlisted', 'waitlisted'),
        ('accepted', 'offered', 'confirmed'), ('declined', 'offered', 'cancelled'), ('moved', 'confirmed', 'cancelled'),
        ('checked_in', 'confirmed', 'confirmed'), ('check_in_undone', 'confirmed', 'confirmed'))
END
LIMIT @findings::int;

-- A slot is as its last entry says.
-- name: DoctorLastEntries :many
SELECT s.id AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, s.version,
       format('the slot has %s of %s seats taken and %s waiting; its last entry says %s of %s, and %s',
              s.seats_taken, s.capacity, s.waitlist_length, l.seats_taken, l.capacity, l.waitlist_length)::text AS detail
FROM slots s
JOIN ledger l ON l.slot_id = s.id AND l.version = s.version AND l.slot_id BETWEEN @first::uuid AND @last::uuid
WHERE s.id BETWEEN @first::uuid AND @last::uuid
  AND (s.seats_taken, s.capacity, s.waitlist_length) <> (l.seats_taken, l.capacity, l.waitlist_length)
LIMIT @findings::int;

-- A booking is as its last entry says; if it was live when the times of its slot changed
-- since, it has the version of that entry. Every booking has an entry, and every booking
-- that an entry names exists.
-- name: DoctorBookings :many
WITH newest AS (
    SELECT DISTINCT ON (slot_id, booking_id) slot_id, booking_id, version, status, seats, user_id FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND booking_id IS NOT NULL
    ORDER BY slot_id, booking_id, version DESC
), moved AS (
    SELECT slot_id, max(version) AS version FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND new_starts_at IS NOT NULL
    GROUP BY slot_id
)
SELECT coalesce(b.slot_id, l.slot_id)::uuid AS slot_id, coalesce(b.id, l.booking_id)::uuid AS booking_id, coalesce(l.version, 0)::bigint AS version,
       CASE WHEN b.id IS NULL THEN 'the ledger speaks of a booking that is not there'
            WHEN l.booking_id IS NULL THEN 'no entry of the ledger speaks of the booking'
            ELSE format('the booking is %s, seats %s, at version %s; its last entry says %s with %s at version %s, and its slot was moved at version %s',
                        b.status, b.seats, b.version, l.status, l.seats, l.version, coalesce(m.version, 0))
       END::text AS detail
FROM (SELECT id, slot_id, user_id, status, seats, version FROM bookings WHERE slot_id BETWEEN @first::uuid AND @last::uuid) b
FULL JOIN newest l ON l.booking_id = b.id AND l.slot_id = b.slot_id
LEFT JOIN moved m ON m.slot_id = l.slot_id AND is_live(l.status)
WHERE b.id IS NULL OR l.booking_id IS NULL
   OR (b.status, b.seats, b.version, b.user_id) IS DISTINCT FROM (l.status, l.seats, greatest(l.version, m.version), l.user_id)
LIMIT @findings::int;

-- Positions in the queue, blocks and passes are as the ledger says. A booking's
-- queued_version is the version at which it joined the queue, or rejoined it because
-- it asked for more seats. (queued_at in this file: such a version.)
-- name: DoctorQueues :many
WITH step AS (
    SELECT l.booking_id, l.version, l.kind,
           l.kind = 'waitlisted' OR l.seats > lag(l.seats) OVER (PARTITION BY l.slot_id, l.booking_id ORDER BY l.version) AS joins
    FROM ledger l
    JOIN bookings b ON b.slot_id = l.slot_id AND b.id = l.booking_id AND b.status = 'waitlisted'
    WHERE l.slot_id BETWEEN @first::uuid AND @last::uuid AND b.slot_id BETWEEN @first::uuid AND @last::uuid
), queue AS (
    SELECT booking_id, max(version) FILTER (WHERE joins) AS queued_at FROM step GROUP BY booking_id
), state AS (
    SELECT q.booking_id, q.queued_at,
           coalesce(max(s.version) FILTER (WHERE s.kind = 'blocked')
                    > coalesce(max(s.version) FILTER (WHERE s.kind = 'unblocked'), 0), false) AS blocked,
           count(*) FILTER (WHERE s.kind = 'passed') AS passes
    FROM queue q
    JOIN step s ON s.booking_id = q.booking_id AND s.version >= q.queued_at
    GROUP BY q.booking_id, q.queued_at
)
SELECT b.slot_id, b.id AS booking_id, b.version,
       format('the booking was queued at version %s, blocked %s, passes %s; the ledger says version %s, blocked %s, passes %s',
              b.queued_version, b.blocked IS NOT NULL, b.passes, q.queued_at, coalesce(q.blocked, false), coalesce(q.passes, 0))::text AS detail
FROM bookings b
LEFT JOIN state q ON q.booking_id = b.id
WHERE b.slot_id BETWEEN @first::uuid AND @last::uuid AND b.status = 'waitlisted'
  AND (b.queued_version, b.blocked IS NOT NULL, b.passes)
      IS DISTINCT FROM (q.queued_at, coalesce(q.blocked, false), coalesce(q.passes, 0))
LIMIT @findings::int;

-- The seats of a booking change only by a resize, or by a promotion with fewer seats,
-- if no more were free and seats_min allows it; seats_min is known unless the booking
-- was resized later. Held or offered seats never become more.
-- name: DoctorSeats :many
WITH step AS (
    SELECT slot_id, booking_id, version, kind, status, seats, seats_taken < capacity AS more_free,
           lag(seats) OVER life AS had,
           max(version) FILTER (WHERE kind = 'resized') OVER (PARTITION BY slot_id, booking_id) AS resized
    FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND booking_id IS NOT NULL
    WINDOW life AS (PARTITION BY slot_id, booking_id ORDER BY version)
)
SELECT s.slot_id, coalesce(s.booking_id, '00000000-0000-0000-0000-000000000000')::uuid AS booking_id, s.version,
       format('the entry (%s) changes the seats of the booking from %s to %s; it takes %s at least',
              s.kind, s.had, s.seats, coalesce(b.seats_min::text, 'all'))::text AS detail
FROM step s
LEFT JOIN bookings b ON b.slot_id = s.slot_id AND b.id = s.booking_id AND b.slot_id BETWEEN @first::uuid AND @last::uuid
WHERE s.seats <> s.had
  AND NOT CASE WHEN s.kind = 'resized' THEN s.seats < s.had OR s.status IN ('waitlisted', 'confirmed')
               WHEN s.kind IN ('promoted', 'offered') THEN s.seats < s.had AND NOT s.more_free
                    AND coalesce(s.resized > s.version OR b.seats_min <= s.seats, false)
               ELSE false
          END
LIMIT @findings::int;

-- name: DoctorSeatsMin :many
SELECT slot_id, id AS booking_id, version, format('the seats of the booking are %s, but it takes %s at least', seats, seats_min)::text AS detail
FROM bookings
WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND seats_min NOT BETWEEN 1 AND seats
LIMIT @findings::int;

-- Nobody has two live bookings of one slot.
-- name: DoctorOneLive :many
SELECT slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, 0::bigint AS version,
       format('user %s has %s live bookings of the slot', user_id, count(*))::text AS detail
FROM bookings
WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND is_live(status)
GROUP BY user_id, slot_id
HAVING count(*) > 1
LIMIT @findings::int;

-- Nobody has seats at overlapping times: in the order of their starts, no booking of a
-- user starts before all earlier ones have ended.
-- name: DoctorOverlaps :many
SELECT slot_id, id AS booking_id, version,
       format('user %s has seats elsewhere until %s, but the slot starts at %s',
              user_id, busy_until, lower(during))::text AS detail
FROM (
    SELECT slot_id, id, version, user_id, during,
           max(upper(during)) OVER (PARTITION BY user_id ORDER BY lower(during), id
                                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_until
    FROM bookings
    WHERE user_id BETWEEN @first::uuid AND @last::uuid AND takes_seats(status)
) b
WHERE lower(during) < busy_until
LIMIT @findings::int;

-- A booking's time is its slot's.
-- name: DoctorTimes :many
SELECT b.slot_id, b.id AS booking_id, b.version,
       format('the booking is for %s, its slot is %s', b.during, coalesce(s.during::text, 'not there'))::text AS detail
FROM bookings b
LEFT JOIN slots s ON s.id = b.slot_id AND s.id BETWEEN @first::uuid AND @last::uuid
WHERE b.slot_id BETWEEN @first::uuid AND @last::uuid AND (s.during IS NULL OR s.during <> b.during)
LIMIT @findings::int;

-- The steps of bookings in the slots that had a queue, for "no queue jumping"
-- (internal/audit/jump.go): those by which a booking got seats or more of them, while
-- others waited (given), and those after which it waits unblocked, or no longer does. A
-- pass is no step of its own: it is with the step that caused it.
--
-- place is where the booking stands in the queue: the version at which it joined.
-- Newcomers, and bookings that get more seats, come after all who wait. needs is the
-- fewest seats that it takes; seats_min is known unless the booking was resized later.
-- name: DoctorQueueSteps :many
WITH life AS (
    SELECT slot_id, booking_id, version, kind, status, seats, waitlist_length, capacity - seats_taken AS left_over,
           lag(status) OVER life AS was, lag(seats) OVER life AS had,
           max(version) FILTER (WHERE kind = 'resized') OVER (PARTITION BY slot_id, booking_id) AS resized
    FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND booking_id IS NOT NULL
      AND slot_id IN (SELECT slot_id FROM ledger WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND kind = 'waitlisted')
    WINDOW life AS (PARTITION BY slot_id, booking_id ORDER BY version)
), step AS (
    SELECT slot_id, booking_id, version, status, seats, left_over, was, had, resized,
           waitlist_length > 0 AND takes_seats(status) AND (was IS NULL OR was = 'waitlisted' OR seats > had) AS given,
           max(version) FILTER (WHERE kind = 'waitlisted' OR (kind = 'resized' AND status = 'waitlisted' AND seats > had)) OVER steps AS queued_at,
           max(version) FILTER (WHERE kind = 'blocked') OVER steps AS blocked,
           max(version) FILTER (WHERE kind = 'unblocked') OVER steps AS unblocked
    FROM life
    WHERE status <> 'waitlisted' OR kind <> 'passed'
    WINDOW steps AS (PARTITION BY slot_id, booking_id ORDER BY version)
), pass AS (
    SELECT slot_id, cause_version, array_agg(booking_id) AS passed FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND kind = 'passed' AND cause_slot_id = slot_id
    GROUP BY slot_id, cause_version
)
SELECT s.slot_id, coalesce(s.booking_id, '00000000-0000-0000-0000-000000000000'::uuid)::uuid AS booking_id, s.version, coalesce(s.given, false)::boolean AS given,
       (s.left_over + s.seats - CASE WHEN s.was = 'waitlisted' THEN 0 ELSE coalesce(s.had, 0) END)::int AS free,
       coalesce(s.status = 'waitlisted' AND coalesce(s.blocked, 0) <= greatest(s.queued_at, s.unblocked) AND s.queued_at > 0, false)::boolean AS waits,
       (CASE WHEN s.status = 'waitlisted' OR s.was = 'waitlisted' THEN coalesce(s.queued_at, 0) ELSE s.version END)::bigint AS place,
       (CASE WHEN coalesce(s.resized, 0) <= s.version THEN coalesce(b.seats_min, s.seats) ELSE s.seats END)::int AS needs,
       coalesce(p.passed, '{}')::uuid[] AS passed
FROM step s
LEFT JOIN bookings b ON b.slot_id = s.slot_id AND b.id = s.booking_id AND b.slot_id BETWEEN @first::uuid AND @last::uuid
LEFT JOIN pass p ON p.slot_id = s.slot_id AND p.cause_version = s.version
WHERE s.given OR s.status = 'waitlisted' OR s.was = 'waitlisted'
ORDER BY s.slot_id, s.version;

-- Nobody waits who could be served, unless a promotion is due. That is the first
-- booking in the queue that fits the free seats, if the fit policy lets it pass those
-- ahead, and if its user has no other seats at that time except those that it gives
-- back. (100: LookAhead.)
-- name: DoctorServable :many
WITH waiting AS (
    SELECT b.id, b.slot_id, b.version, b.user_id, b.replaces_booking_id, b.during, coalesce(b.seats_min, b.seats) AS seats, e.fit,
           s.capacity - s.seats_taken AS free,
           row_number() OVER (PARTITION BY b.slot_id ORDER BY b.queued_version) AS rank,
           coalesce(bool_or(b.passes >= e.max_passes) OVER before, false) AS stops,
           coalesce(bool_or(coalesce(b.seats_min, b.seats) <= s.capacity - s.seats_taken) OVER before, false) AS sooner
    FROM bookings b
    CROSS JOIN LATERAL (
        SELECT event_id, capacity, seats_taken FROM slots
        WHERE id = b.slot_id AND promotion_due_at IS NULL AND seats_taken < capacity AND status <> 'cancelled' AND starts_at > now()
        LIMIT 1
    ) s
    CROSS JOIN LATERAL (SELECT fit, max_passes FROM events WHERE id = s.event_id AND status = 'published' LIMIT 1) e
    WHERE b.slot_id BETWEEN @first::uuid AND @last::uuid AND b.status = 'waitlisted' AND b.blocked IS NULL
    WINDOW before AS (PARTITION BY b.slot_id ORDER BY b.queued_version
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT w.slot_id, w.id AS booking_id, w.version,
       format('the booking needs %s of the %s free seats, nobody comes before it, and no promotion is due', w.seats, w.free)::text AS detail
FROM waiting w
WHERE w.slot_id BETWEEN @first::uuid AND @last::uuid
  AND w.seats <= w.free AND NOT w.sooner
  AND (w.rank = 1 OR (w.fit = 'first_fit' AND w.rank <= 100 AND NOT w.stops))
  AND (SELECT count(*) FROM bookings o
       WHERE o.user_id = w.user_id AND o.during && w.during
         AND takes_seats(o.status)
         AND o.id IS DISTINCT FROM given_back(w.replaces_booking_id)) = 0
LIMIT @findings::int;

-- The cause of an entry exists, and came before it.
-- name: DoctorCauses :many
SELECT l.slot_id, coalesce(l.booking_id, '00000000-0000-0000-0000-000000000000')::uuid AS booking_id, l.version,
       format('the entry (%s) names entry %s of slot %s as its cause, which %s', l.kind, l.cause_version, l.cause_slot_id,
              CASE WHEN c.slot_id IS NULL THEN 'is not there' ELSE 'came later' END)::text AS detail
FROM ledger l
LEFT JOIN LATERAL (
    SELECT slot_id, version FROM ledger WHERE slot_id = l.cause_slot_id AND version = l.cause_version LIMIT 1
) c ON true
WHERE l.slot_id BETWEEN @first::uuid AND @last::uuid AND l.cause_slot_id IS NOT NULL
  AND (c.slot_id IS NULL OR (c.slot_id = l.slot_id AND c.version >= l.version))
LIMIT @findings::int;

-- Promotions, offers, passes and unblocks have a cause. The cause of a confirmed hold,
-- or of an answer to an offer, is the booking's entry before, or the change of its slot's
-- times since.
-- name: DoctorPromotions :many
SELECT slot_id, coalesce(booking_id, '00000000-0000-0000-0000-000000000000')::uuid AS booking_id, version,
       format('the entry (%s) names %s as its cause', kind, coalesce('entry ' || cause_version, 'nothing'))::text AS detail
FROM (
    SELECT slot_id, booking_id, version, kind, cause_slot_id, cause_version,
           lag(version) OVER (PARTITION BY slot_id, booking_id ORDER BY version) AS before
    FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND booking_id IS NOT NULL
) step
WHERE (kind IN ('promoted', 'offered', 'passed', 'unblocked') AND cause_slot_id IS NULL)
   OR ((kind IN ('accepted', 'declined') OR (kind = 'confirmed' AND before IS NOT NULL))
       AND (cause_slot_id, cause_version) IS DISTINCT FROM (slot_id, greatest(before, (
           SELECT max(m.version) FROM ledger m
           WHERE m.slot_id = step.slot_id AND m.version < step.version AND m.new_starts_at IS NOT NULL))))
LIMIT @findings::int;

-- A replaced booking is cancelled, by an entry that the booking that replaced it caused,
-- or because it was moved there, and both are of the same user.
-- name: DoctorReplacements :many
SELECT b.slot_id, b.id AS booking_id, b.version,
       format('the booking is %s and replaced by booking %s, %s', b.status, b.replaced_by,
              CASE WHEN r.id IS NULL THEN 'which is not there'
                   WHEN r.user_id <> b.user_id THEN 'which is somebody else''s'
                   ELSE 'which did not end it' END)::text AS detail
FROM bookings b
LEFT JOIN LATERAL (SELECT id, user_id, moved_from FROM bookings WHERE id = b.replaced_by LIMIT 1) r ON true
LEFT JOIN LATERAL (
    SELECT kind, cause_slot_id, cause_version FROM ledger WHERE slot_id = b.slot_id AND version = b.version LIMIT 1
) l ON true
LEFT JOIN LATERAL (
    SELECT booking_id, status FROM ledger WHERE slot_id = l.cause_slot_id AND version = l.cause_version LIMIT 1
) c ON true
WHERE b.slot_id BETWEEN @first::uuid AND @last::uuid AND b.replaced_by IS NOT NULL
  AND (b.status <> 'cancelled' OR r.user_id IS DISTINCT FROM b.user_id
       OR CASE WHEN l.kind = 'moved' THEN r.moved_from IS DISTINCT FROM b.id
               ELSE c.booking_id IS DISTINCT FROM b.replaced_by OR c.status <> 'confirmed' END)
LIMIT @findings::int;

-- A booking that was made from a moved one is of the same user and in another slot of
-- the same event, and the move, which cancelled the moved one, caused its first entry.
-- name: DoctorMovesTo :many
SELECT n.slot_id, n.id AS booking_id, n.version,
       CASE WHEN o.booking_id IS NULL THEN format('the booking was made from booking %s, which was not moved', n.moved_from)
            ELSE format('the booking was made from booking %s, but its first entry, user or event does not say so', n.moved_from)
       END::text AS detail
FROM bookings n
LEFT JOIN LATERAL (SELECT event_id FROM slots WHERE id = n.slot_id LIMIT 1) ns ON true
LEFT JOIN LATERAL (
    SELECT cause_slot_id, cause_version FROM ledger
    WHERE booking_id = n.id AND slot_id = n.slot_id
    ORDER BY version
    LIMIT 1
) f ON true
LEFT JOIN LATERAL (
    SELECT booking_id, slot_id, version, user_id FROM ledger WHERE booking_id = n.moved_from AND kind = 'moved' LIMIT 1
) o ON true
LEFT JOIN LATERAL (SELECT event_id FROM slots WHERE id = o.slot_id LIMIT 1) os ON true
LEFT JOIN LATERAL (SELECT status FROM bookings WHERE id = n.moved_from LIMIT 1) b ON true
WHERE n.slot_id BETWEEN @first::uuid AND @last::uuid AND n.moved_from IS NOT NULL
  AND (o.booking_id IS NULL
       OR (n.user_id, ns.event_id, f.cause_slot_id, f.cause_version, b.status)
          IS DISTINCT FROM (o.user_id, os.event_id, o.slot_id, o.version, 'cancelled')
       OR n.slot_id = o.slot_id)
LIMIT @findings::int;

-- A booking that was moved is replaced by one that was made from it.
-- name: DoctorMovesFrom :many
SELECT l.slot_id, coalesce(l.booking_id, '00000000-0000-0000-0000-000000000000'::uuid)::uuid AS booking_id, l.version,
       'the booking was moved, but none was made from it'::text AS detail
FROM ledger l
LEFT JOIN LATERAL (SELECT replaced_by FROM bookings WHERE id = l.booking_id LIMIT 1) b ON true
LEFT JOIN LATERAL (SELECT moved_from FROM bookings WHERE id = b.replaced_by LIMIT 1) n ON true
WHERE l.slot_id BETWEEN @first::uuid AND @last::uuid AND l.kind = 'moved' AND n.moved_from IS DISTINCT FROM l.booking_id
LIMIT @findings::int;

-- A booking is checked in, and by whom, if its last entry about that says so and it has
-- seats.
-- name: DoctorCheckIns :many
WITH newest AS (
    SELECT DISTINCT ON (booking_id) booking_id, kind, at, actor_id FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND kind IN ('checked_in', 'check_in_undone')
    ORDER BY booking_id, version DESC
)
SELECT b.slot_id, b.id AS booking_id, b.version,
       format('the booking is %s and checked in at %s by %s; the last entry about that is %s of %s by %s',
              b.status, coalesce(b.checked_in_at::text, 'no time'), coalesce(b.checked_in_by::text, 'nobody'),
              coalesce(n.kind, 'missing'), coalesce(n.at::text, 'no time'), coalesce(n.actor_id::text, 'nobody'))::text AS detail
FROM bookings b
LEFT JOIN newest n ON n.booking_id = b.id
WHERE b.slot_id BETWEEN @first::uuid AND @last::uuid
  AND (b.checked_in_at IS DISTINCT FROM CASE WHEN n.kind = 'checked_in' AND b.status = 'confirmed' THEN n.at END
       OR (b.checked_in_at IS NOT NULL AND b.checked_in_by IS DISTINCT FROM n.actor_id))
LIMIT @findings::int;

-- A final booking stays as it is: once its slot has ended, or has started with the
-- attendee checked in, no entry changes its status or its seats. What the system does
-- because a slot or an event was cancelled, or a user deleted, counts as of then.
-- name: DoctorFinal :many
WITH late AS (
    SELECT l.slot_id, l.booking_id, l.version, s.starts_at, s.ends_at,
           CASE WHEN l.actor = 'system' THEN least(l.at, u.deleted_at, s.cancelled_at, e.cancelled_at) ELSE l.at END AS as_of
    FROM ledger l
    JOIN slots s ON s.id = l.slot_id AND s.id BETWEEN @first::uuid AND @last::uuid
    LEFT JOIN LATERAL (SELECT cancelled_at FROM events WHERE id = s.event_id AND l.actor = 'system' LIMIT 1) e ON true
    LEFT JOIN LATERAL (SELECT deleted_at FROM users WHERE id = l.user_id AND l.actor = 'system' LIMIT 1) u ON true
    WHERE l.slot_id BETWEEN @first::uuid AND @last::uuid AND l.booking_id IS NOT NULL AND l.at >= s.starts_at
), life AS (
    SELECT slot_id, booking_id, version, kind, status, seats,
           lag(status) OVER life AS was, lag(seats) OVER life AS had,
           coalesce(max(version) FILTER (WHERE kind = 'checked_in') OVER before
                    > coalesce(max(version) FILTER (WHERE kind = 'check_in_undone') OVER before, 0), false) AS checked_in
    FROM ledger
    WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND booking_id IN (SELECT booking_id FROM late)
    WINDOW life AS (PARTITION BY slot_id, booking_id ORDER BY version),
           before AS (PARTITION BY slot_id, booking_id ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT l.slot_id, coalesce(l.booking_id, '00000000-0000-0000-0000-000000000000')::uuid AS booking_id, l.version,
       format('the booking was final, and the entry (%s) made it %s with %s seats', l.kind, l.status, l.seats)::text AS detail
FROM life l
JOIN late USING (slot_id, booking_id, version)
WHERE l.slot_id BETWEEN @first::uuid AND @last::uuid AND l.was = 'confirmed' AND (l.status <> 'confirmed' OR l.seats <> l.had)
  AND (late.as_of >= late.ends_at OR (l.checked_in AND late.as_of >= late.starts_at))
LIMIT @findings::int;

-- Whoever acts is named, and acts in a role that they have there: attendees for
-- themselves, organizers in their own events. What the service does by itself has no
-- actor, and nobody else does it.
-- name: DoctorActors :many
WITH organized AS (
    SELECT s.id, e.organizer_id
    FROM slots s
    CROSS JOIN LATERAL (SELECT organizer_id FROM events WHERE id = s.event_id LIMIT 1) e
    WHERE s.id BETWEEN @first::uuid AND @last::uuid
)
SELECT l.slot_id, coalesce(l.booking_id, '00000000-0000-0000-0000-000000000000')::uuid AS booking_id, l.version,
       format('the entry (%s) is by the %s %s, in a slot of organizer %s, about a booking of user %s',
              l.kind, l.actor, coalesce(l.actor_id::text, 'without a name'), coalesce(o.organizer_id::text, 'unknown'), coalesce(l.user_id::text, 'nobody'))::text AS detail
FROM ledger l
LEFT JOIN organized o ON o.id = l.slot_id
WHERE l.slot_id BETWEEN @first::uuid AND @last::uuid
  AND ((l.actor = 'system') <> (l.actor_id IS NULL)
       OR (l.kind IN ('promoted', 'offered', 'passed', 'blocked', 'unblocked', 'expired') AND l.actor <> 'system')
       OR (l.actor = 'attendee' AND l.actor_id <> l.user_id)
       OR (l.actor = 'organizer' AND l.actor_id <> o.organizer_id))
LIMIT @findings::int;

-- Nobody holds more than 20 seats (maxHeld).
-- name: DoctorHeld :many
SELECT '00000000-0000-0000-0000-000000000000'::uuid AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, 0::bigint AS version,
       format('user %s holds %s seats', user_id, sum(seats))::text AS detail
FROM bookings
WHERE user_id BETWEEN @first::uuid AND @last::uuid AND status = 'held' AND expires_at > now()
GROUP BY user_id
HAVING sum(seats) > 20
LIMIT @findings::int;

-- No booking has more seats than one of its event may have. What was made before the limits
-- were last changed, or moved, may.
-- name: DoctorSeatsPerBooking :many
SELECT b.slot_id, b.id AS booking_id, b.version,
       format('the booking has %s seats, and one of its event may have %s', b.seats, e.max_seats_per_booking)::text AS detail
FROM bookings b
CROSS JOIN LATERAL (SELECT event_id FROM slots WHERE id = b.slot_id LIMIT 1) s
CROSS JOIN LATERAL (SELECT max_seats_per_booking, seats_limited_at FROM events WHERE id = s.event_id LIMIT 1) e
WHERE b.slot_id BETWEEN @first::uuid AND @last::uuid AND is_live(b.status)
  AND b.seats > e.max_seats_per_booking
  AND b.moved_from IS NULL AND b.created_at > coalesce(e.seats_limited_at, '-infinity')
LIMIT @findings::int;

-- Nobody who asked for seats of an event since its limits were last changed has more of
-- them than a user may have. Who waits instead of another booking is left out: they may
-- count for nothing.
-- name: DoctorSeatsPerUser :many
SELECT '00000000-0000-0000-0000-000000000000'::uuid AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, 0::bigint AS version,
       format('user %s has %s seats of event %s, and one may have %s', b.user_id, sum(b.seats), s.event_id, e.max_seats_per_user)::text AS detail
FROM bookings b
CROSS JOIN LATERAL (SELECT event_id, starts_at FROM slots WHERE id = b.slot_id LIMIT 1) s
CROSS JOIN LATERAL (SELECT max_seats_per_user, seats_limited_at FROM events WHERE id = s.event_id LIMIT 1) e
WHERE b.user_id BETWEEN @first::uuid AND @last::uuid AND is_live(b.status) AND e.max_seats_per_user IS NOT NULL
  AND (b.expires_at IS NULL OR b.expires_at > now())
  AND (b.status <> 'waitlisted' OR (b.replaces_booking_id IS NULL AND s.starts_at > now()))
GROUP BY b.user_id, s.event_id, e.max_seats_per_user
HAVING sum(b.seats) > e.max_seats_per_user
   AND bool_or(b.moved_from IS NULL AND b.replaces_booking_id IS NULL AND b.created_at > coalesce(e.seats_limited_at, '-infinity'))
LIMIT @findings::int;

-- A blocked booking is blocked by a booking of the same user that takes seats at that
-- time and that it would not give back, or by the slot's capacity.
-- name: DoctorBlocked :many
SELECT w.slot_id, w.id AS booking_id, w.version,
       CASE WHEN w.blocked = 'capacity' THEN format('the booking is blocked for its size, %s, but the slot has %s', coalesce(w.seats_min, w.seats), s.capacity)
            WHEN x.user_id <> w.user_id THEN format('the booking is blocked by booking %s of somebody else', x.id)
            ELSE format('the booking is blocked by booking %s, which is %s for %s', x.id, coalesce(x.status, 'not there'), x.during)
       END::text AS detail
FROM bookings w
CROSS JOIN LATERAL (SELECT capacity, updated_at FROM slots WHERE id = w.slot_id LIMIT 1) s
LEFT JOIN LATERAL (SELECT id, slot_id, user_id, status, during, updated_at FROM bookings WHERE id = w.blocked_by LIMIT 1) x ON true
LEFT JOIN LATERAL (SELECT event_id, updated_at FROM slots WHERE id = x.slot_id LIMIT 1) xs ON true
LEFT JOIN LATERAL (SELECT updated_at FROM events WHERE id = xs.event_id LIMIT 1) xe ON true
WHERE w.slot_id BETWEEN @first::uuid AND @last::uuid AND w.status = 'waitlisted' AND w.blocked IS NOT NULL
  AND CASE w.blocked
      WHEN 'capacity' THEN coalesce(w.seats_min, w.seats) <= s.capacity AND s.updated_at < now() - interval '1 minute'
      ELSE x.user_id IS DISTINCT FROM w.user_id
        OR (NOT takes_seats(x.status) AND x.updated_at < now() - interval '1 minute')
        OR (NOT x.during && w.during AND xs.updated_at < now() - interval '1 minute')
        OR (x.id = given_back(w.replaces_booking_id) AND greatest(x.updated_at, xs.updated_at, xe.updated_at) < now() - interval '1 minute')
      END
LIMIT @findings::int;

-- Holds and offers end by the start of their slot.
-- name: DoctorDeadlines :many
SELECT slot_id, id AS booking_id, version,
       format('the booking is %s until %s, after the start of its slot', status, expires_at)::text AS detail
FROM bookings
WHERE slot_id BETWEEN @first::uuid AND @last::uuid AND status IN ('held', 'offered') AND (expires_at IS NULL OR expires_at > lower(during))
LIMIT @findings::int;

-- Nothing should have expired by now that has not. If it has, no worker runs.
-- name: DoctorOverdue :many
SELECT b.slot_id, b.id AS booking_id, b.version,
       CASE b.status WHEN 'waitlisted' THEN format('the booking still waits, but its slot started at %s', lower(b.during))
                     ELSE format('the booking is still %s, but only until %s', b.status, b.expires_at)
       END::text AS detail
FROM bookings b
WHERE b.slot_id BETWEEN @first::uuid AND @last::uuid
  AND ((b.status IN ('held', 'offered') AND b.expires_at < now() - interval '1 minute')
       OR (b.status = 'waitlisted' AND lower(b.during) < now() - interval '1 minute'))
LIMIT @findings::int;

-- No promotion has been due for long, and no slot was cancelled long ago, by itself or
-- with its event, and is not so or has live bookings. If so, no worker runs, or one fails.
-- name: DoctorPending :many
SELECT s.id AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, s.version,
       CASE WHEN s.promotion_due_at IS NOT NULL THEN format('a promotion is due since %s', s.promotion_due_at)
            WHEN s.seats_taken > 0 OR s.waitlist_length > 0 THEN format('the slot was cancelled, but seats_taken is still %s and waitlist_length %s', s.seats_taken, s.waitlist_length)
            ELSE 'the event was cancelled, but the slot is not'
       END::text AS detail
FROM slots s
CROSS JOIN LATERAL (SELECT status, cancelled_at, updated_at FROM events WHERE id = s.event_id LIMIT 1) e
WHERE s.id BETWEEN @first::uuid AND @last::uuid
  AND (s.promotion_due_at < now() - interval '1 minute'
       OR (((e.status = 'cancelled' AND s.status <> 'cancelled' AND s.ends_at > e.cancelled_at)
            OR (s.status = 'cancelled' AND (
                SELECT true FROM bookings b
                WHERE b.slot_id = s.id AND is_live(b.status)
                  AND NOT is_final(b.status, b.checked_in_at, b.during, coalesce(s.cancelled_at, e.cancelled_at, now()))
                LIMIT 1)))
           AND greatest(s.updated_at, e.updated_at) < now() - interval '1 minute'))
LIMIT @findings::int;

-- No user was deleted long ago who has bookings that leave with them. If so, no worker
-- runs, or one fails.
-- name: DoctorLeaving :many
SELECT b.slot_id, b.id AS booking_id, b.version,
       format('the booking is still %s, but its user was deleted at %s', b.status, u.deleted_at)::text AS detail
FROM users u
JOIN bookings b ON b.user_id = u.id AND b.user_id BETWEEN @first::uuid AND @last::uuid
WHERE u.id BETWEEN @first::uuid AND @last::uuid AND u.deleted_at < now() - interval '1 minute'
  AND is_live(b.status) AND NOT is_final(b.status, b.checked_in_at, b.during, u.deleted_at)
LIMIT @findings::int;

-- No queue has been held up for long by a booking whose user has got seats elsewhere at
-- that time. (As SlotsHeldUp.)
-- name: DoctorHeldUp :many
WITH stop AS (
    SELECT s.id AS slot_id, w.*
    FROM slots s
    CROSS JOIN LATERAL (SELECT fit, max_passes FROM events WHERE id = s.event_id AND status = 'published' LIMIT 1) e
    CROSS JOIN LATERAL (
        SELECT b.id, b.user_id, b.during, b.replaces_booking_id, b.version FROM bookings b
        WHERE b.slot_id = s.id AND b.status = 'waitlisted' AND b.blocked IS NULL
          AND (e.fit = 'strict' OR b.passes >= e.max_passes)
        ORDER BY b.queued_version
        LIMIT 1
    ) w
    WHERE s.id BETWEEN @first::uuid AND @last::uuid AND s.waitlist_length > 0 AND s.starts_at > now()
      AND s.waitlist_ready > 0 AND s.seats_taken < s.capacity AND s.promotion_due_at IS NULL
      AND s.status <> 'cancelled'
)
SELECT t.slot_id, t.id AS booking_id, t.version,
       format('the booking stops the queue, and its user has had seats elsewhere since %s', o.since)::text AS detail
FROM stop t
CROSS JOIN LATERAL (
    SELECT max(o.updated_at) AS since
    FROM bookings o
    WHERE o.user_id = t.user_id AND o.during && t.during AND takes_seats(o.status)
      AND o.id IS DISTINCT FROM given_back(t.replaces_booking_id)
) o
WHERE t.slot_id BETWEEN @first::uuid AND @last::uuid AND o.since < now() - interval '1 minute'
LIMIT @findings::int;

-- Stored responses are successes, not from the future, and not older than two days.
-- name: DoctorIdempotencyKeys :many
SELECT '00000000-0000-0000-0000-000000000000'::uuid AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, 0::bigint AS version,
       format('the key of user %s of %s keeps an answer with status %s', user_id, created_at, status)::text AS detail
FROM idempotency_keys
WHERE user_id BETWEEN @first::uuid AND @last::uuid
  AND (status NOT BETWEEN 200 AND 299
       OR created_at > now() + interval '1 minute' OR created_at < now() - interval '2 days')
LIMIT @findings::int;

-- An event's times are those of its slots: of those that are not cancelled, or of all
-- if all are.
-- name: DoctorEventSpans :many
SELECT '00000000-0000-0000-0000-000000000000'::uuid AS slot_id, '00000000-0000-0000-0000-000000000000'::uuid AS booking_id, 0::bigint AS version,
       format('event %s is said to last from %s to %s; its slots last from %s to %s', e.id,
              coalesce(e.starts_at::text, 'nothing'), coalesce(e.ends_at::text, 'nothing'),
              coalesce(s.starts_at::text, 'nothing'), coalesce(s.ends_at::text, 'nothing'))::text AS detail
FROM events e
LEFT JOIN (
    SELECT event_id,
           coalesce(min(starts_at) FILTER (WHERE status <> 'cancelled'), min(starts_at)) AS starts_at,
           coalesce(max(ends_at) FILTER (WHERE status <> 'cancelled'), max(ends_at)) AS ends_at
    FROM slots
    WHERE event_id BETWEEN @first::uuid AND @last::uuid
    GROUP BY event_id
) s ON s.event_id = e.id
WHERE e.id BETWEEN @first::uuid AND @last::uuid
  AND (e.starts_at, e.ends_at) IS DISTINCT FROM (s.starts_at, s.ends_at)
LIMIT @findings::int;

-- The page that starts at an id ends before the first of these ids that comes after so
-- many rows: NULL if there are fewer. The rows of one id are never split.
-- name: DoctorSlotsEnd :one
SELECT slot_id FROM ledger WHERE slot_id > @first ORDER BY slot_id OFFSET @rows::int LIMIT 1;
-- name: DoctorUsersEnd :one
SELECT user_id FROM bookings WHERE user_id > @first ORDER BY user_id OFFSET @rows::int LIMIT 1;
-- name: DoctorEventsEnd :one
SELECT event_id FROM slots WHERE event_id > @first ORDER BY event_id OFFSET @rows::int LIMIT 1;
-- name: DoctorKeysEnd :one
SELECT user_id FROM idempotency_keys WHERE user_id > @first ORDER BY user_id OFFSET @rows::int LIMIT 1;
