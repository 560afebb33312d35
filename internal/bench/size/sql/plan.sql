-- What is to be filled in, in tables that the last step drops. Everything follows from
-- the number of events (the setting fill.events) and the time: no chance, so that two
-- databases of one size are alike.

-- A number from 0 to 1 that looks like chance.
CREATE FUNCTION fill.dice(n bigint, salt bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (hashint8extended(n, salt) & 1048575) / 1048576.0;

-- An id that sorts by its time, as the service makes them (UUIDv7).
CREATE FUNCTION fill.id(at timestamptz, n bigint) RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid;

-- The counts. Of users, 1 to organizers are organizers, the last one is an admin, and
-- those before him, from left_from on, have left. regular is the one with many bookings.
CREATE TABLE fill.size AS
SELECT events, users, organizers, users - 1 - users / 100 AS left_from, organizers + 1 AS regular, organizers + 2 AS first_booker,
       users - 1 - users / 100 - organizers - 2 AS bookers, stride,
       greatest(40, events / 40) AS queue, greatest(60, events / 100) AS crowd, now() AS now
FROM (
    SELECT events, users, greatest(6, users / 20) AS organizers, greatest(2, events / greatest(40, events / 200)) AS stride
    FROM (SELECT n AS events, greatest(120, n / 25) AS users FROM (SELECT current_setting('fill.events')::bigint AS n) given) size
) size;

CREATE UNLOGGED TABLE fill.users AS
SELECT n, fill.id(created_at, n) AS id, created_at
FROM fill.size
CROSS JOIN LATERAL generate_series(1, users) AS n
CROSS JOIN LATERAL (SELECT now - interval '6 years' + n * (interval '1 year' / users) AS created_at) made;
ALTER TABLE fill.users ADD PRIMARY KEY (n);

-- Words of three syllables, and texts of five words. The lower the number of a word, the
-- more frequent it is.
CREATE UNLOGGED TABLE fill.words AS
SELECT n, (ARRAY['ba', 'ce', 'di', 'fo', 'gu', 'ja', 'ke', 'li', 'mo', 'nu', 'pa', 're', 'si', 'to', 'vu', 'wa', 'xe', 'yi', 'zo', 'chu'])[1 + n % 20]
       || (ARRAY['la', 'me', 'ni', 'ro', 'su', 'ta', 'be', 'di', 'fo', 'gu', 'ha', 'ke', 'ji', 'ko', 'lu', 'na', 'pe', 'qui', 'so', 'tu'])[1 + n / 20 % 20]
       || (ARRAY['nar', 'lis', 'tum', 'vek', 'dor', 'zap', 'gen', 'hof', 'bux', 'mil', 'ter', 'san', 'pol', 'ric', 'fen', 'gar', 'wim', 'jun', 'cob', 'del'])[1 + n / 400] AS word
FROM generate_series(0, 7999) AS n;
CREATE UNLOGGED TABLE fill.texts AS
SELECT t AS n, string_agg(w.word, ' ') AS text
FROM generate_series(0, 19999) AS t
CROSS JOIN generate_series(1, 5) AS i
JOIN fill.words w ON w.n = floor(power(fill.dice(t * 5 + i, 30), 3) * 8000)::int
GROUP BY t;

-- Events begin in the order of their numbers, over five years, of which four are past.
-- Organizer 1 has every hundredth, organizer 2 has three, and the rest have the more the
-- lower their number. The last event has the hot slots.
CREATE UNLOGGED TABLE fill.events AS
SELECT e.n, fill.id(e.created_at, e.n) AS id, e.created_at, e.begins_at, e.status, e.slots, e.gap, u.n AS organizer, u.id AS organizer_id,
       e.created_at + (least(e.begins_at, e.now) - e.created_at) * 0.36 AS cancelled_at
FROM (
    SELECT n, organizers, now,
           now - interval '1 hour' - (events - n) * (interval '1570 days' / events) AS created_at,
           date_bin('15 minutes', now + (n - events * 0.8) * (interval '1826 days' / events), 'epoch') AS begins_at,
           CASE WHEN n = events OR n % stride = 0 THEN 'published'
                WHEN n % 200 = 7 OR fill.dice(n, 1) < 0.03 THEN 'draft'
                WHEN fill.dice(n, 1) < 0.05 THEN 'cancelled'
                ELSE 'published' END AS status,
           CASE WHEN n = events THEN 2 WHEN n % 200 = 7 THEN 0 ELSE 1 + floor(fill.dice(n, 2) * 5)::int END AS slots,
           CASE WHEN n % 1000 = 1 THEN interval '7 days' ELSE interval '1 day' END AS gap,
           CASE WHEN n IN (events / 2, events * 9 / 10, events - 3) THEN 2
                WHEN n % 100 = 0 THEN 1
                ELSE 3 + floor(power(fill.dice(n, 3), 2) * (organizers - 2))::int END AS organizer
    FROM fill.size
    CROSS JOIN LATERAL generate_series(1, events) AS n
    OFFSET 0 -- each column is computed once
) e
JOIN fill.users u ON u.n = e.organizer
ORDER BY e.n;
ALTER TABLE fill.events ADD PRIMARY KEY (n);

-- Slots of an event follow each other by days. A slot's key sorts by event and start.
-- Of the kinds, 'queue' and 'crowd' are the hot ones, 'full' ones are small and have, or
-- had, a queue, and the rest is 'plain'.
CREATE UNLOGGED TABLE fill.slots AS
SELECT s.*, fill.id(s.created_at, s.key) AS id,
       CASE s.kind WHEN 'queue' THEN 20 WHEN 'crowd' THEN crowd WHEN 'full' THEN 4 ELSE 20 + floor(fill.dice(s.key, 5) * 80)::int END AS capacity,
       CASE WHEN s.kind IN ('queue', 'crowd') THEN 0 ELSE floor(fill.dice(s.key, 6) * 1.7)::int END AS edits,
       CASE WHEN s.event_status = 'draft' OR s.kind IN ('queue', 'crowd') THEN 0
            WHEN s.kind = 'full' THEN 5 + floor(fill.dice(s.key, 7) * 10)::int
            WHEN fill.dice(s.key, 7) < 0.15 THEN 1 + floor(fill.dice(s.key, 8) * 4)::int
            ELSE 0 END AS bookings,
       s.starts_at > now + interval '3 days' AS upcoming, s.starts_at <= now AS started
FROM (
    SELECT e.n * 8 + k AS key, e.n AS event, k, e.id AS event_id, e.organizer_id, e.created_at, e.cancelled_at, e.status AS event_status, starts_at,
           starts_at + interval '1 hour' + floor(fill.dice(e.n * 8 + k, 9) * 5) * interval '30 minutes' AS ends_at,
           CASE WHEN e.status = 'cancelled' THEN 'event_cancelled'
                WHEN e.status = 'published' AND e.n < events AND e.n % stride > 0 AND fill.dice(e.n * 8 + k, 4) > 0.995 THEN 'slot_cancelled' END AS cancelled_by,
           CASE WHEN e.n = events THEN CASE k WHEN 0 THEN 'queue' ELSE 'crowd' END
                WHEN fill.dice(e.n * 8 + k, 4) < 0.01 AND e.status = 'published' AND e.n % stride > 0 THEN 'full'
                ELSE 'plain' END AS kind
    FROM fill.size
    CROSS JOIN fill.events e
    CROSS JOIN LATERAL generate_series(0, e.slots - 1) AS k
    -- The hot slots are when nobody has other seats.
    CROSS JOIN LATERAL (SELECT e.begins_at + CASE WHEN e.n = events THEN interval '35 days' ELSE interval '0' END + k * e.gap AS starts_at) begins
    OFFSET 0
) s
CROSS JOIN fill.size
ORDER BY s.key;
ALTER TABLE fill.slots ADD PRIMARY KEY (key);

-- Bookings with their lives, which say what the ledger has of them:
--
--   seated     held or not, confirmed, resized some times, and checked in if past
--   left       as seated, then cancelled
--   removed    as seated, then cancelled with the slot or the event
--   holding    held; lapsed: held, then expired
--   waiting    waitlisted; missed: waitlisted, then expired at the start
--   promoted   waitlisted, then confirmed, and checked in if past; offered: waitlisted, then offered
--
-- Who books is counted on from slot to slot, so that nobody has two bookings within
-- weeks, let alone at one time.
CREATE UNLOGGED TABLE fill.bookings AS
WITH wish AS (
    SELECT s.key, i, first_booker + (before + i) * 7919 % bookers AS booker,
           CASE WHEN s.cancelled_by IS NOT NULL THEN 'removed'
                WHEN s.kind = 'full' AND s.upcoming THEN CASE WHEN i = 0 THEN 'left' WHEN i < 4 THEN 'seated'
                    WHEN i = 4 THEN CASE WHEN s.key % 5 = 0 THEN 'offered' ELSE 'promoted' END ELSE 'waiting' END
                WHEN s.kind = 'full' THEN CASE WHEN i = 0 THEN 'left' WHEN i < 4 THEN 'seated' WHEN i = 4 THEN 'promoted' ELSE 'missed' END
                WHEN s.upcoming AND fill.dice(s.key * 100 + i, 10) < 0.03 THEN 'holding'
                WHEN fill.dice(s.key * 100 + i, 10) < 0.06 THEN 'lapsed'
                WHEN fill.dice(s.key * 100 + i, 10) < 0.2 THEN 'left'
                ELSE 'seated' END AS life
    FROM (SELECT *, sum(bookings) OVER (ORDER BY key) - bookings AS before FROM fill.slots) s
    CROSS JOIN fill.size
    -- Where the slot is cancelled, nobody waited.
    CROSS JOIN LATERAL generate_series(0, CASE WHEN s.cancelled_by IS NULL THEN bookings ELSE least(bookings, 4) END - 1) AS i
    UNION ALL
    SELECT s.key, 90, regular, 'seated' FROM fill.size JOIN fill.slots s ON s.event % stride = 0 AND s.k = 0 AND s.kind = 'plain'
    UNION ALL
    SELECT s.key, i, first_booker + i, CASE WHEN i < s.capacity THEN 'seated' ELSE 'waiting' END
    FROM fill.size JOIN fill.slots s ON s.event = events AND s.kind = 'queue'
    CROSS JOIN LATERAL generate_series(0, s.capacity + queue - 1) AS i
    UNION ALL
    SELECT s.key, i, first_booker + i, 'seated'
    FROM fill.size JOIN fill.slots s ON s.event = events AND s.kind = 'crowd'
    CROSS JOIN LATERAL generate_series(0, crowd - 1) AS i
), detail AS MATERIALIZED (
    SELECT w.key, w.i, w.key * 100000 + w.i AS n, w.life, u.id AS user_id, s.id AS slot_id, s.organizer_id, s.started, s.starts_at, s.ends_at, now,
           s.created_at + (least(s.starts_at, now) - s.created_at) * (0.1 + 0.2 * w.i / 30000) AS created_at,
           w.life IN ('waiting', 'missed', 'promoted', 'offered') AS waited,
           w.life IN ('holding', 'lapsed') OR (w.life IN ('seated', 'left') AND fill.dice(w.key * 100 + w.i, 11) < 0.3 AND s.kind <> 'crowd') AS held,
           CASE WHEN w.life NOT IN ('seated', 'left', 'removed') OR s.kind IN ('queue', 'crowd') THEN 0
                WHEN s.kind = 'full' AND w.i = 3 THEN 0 -- no seat is left to try two
                WHEN s.kind = 'full' THEN 2 * floor(fill.dice(w.key * 100 + w.i, 12) * 5)::int
                ELSE floor(fill.dice(w.key * 100 + w.i, 12) * 7)::int END AS resizes,
           w.life IN ('seated', 'promoted') AND s.started AND fill.dice(w.key * 100 + w.i, 13) < 0.8 AS attended
    FROM wish w
    CROSS JOIN fill.size
    JOIN fill.slots s ON s.key = w.key
    JOIN fill.users u ON u.n = w.booker
)
SELECT d.*, fill.id(d.created_at, d.n) AS id, 1 + d.resizes % 2 AS seats,
       CASE d.life WHEN 'seated' THEN 'confirmed' WHEN 'promoted' THEN 'confirmed' WHEN 'left' THEN 'cancelled' WHEN 'removed' THEN 'cancelled'
                   WHEN 'holding' THEN 'held' WHEN 'offered' THEN 'offered' WHEN 'waiting' THEN 'waitlisted' ELSE 'expired' END AS status,
       least(d.starts_at + interval '5 minutes', d.now) AS checked_in_at
FROM detail d
ORDER BY d.n;
ALTER TABLE fill.bookings ADD PRIMARY KEY (n);

ANALYZE fill.users, fill.words, fill.texts, fill.events, fill.slots, fill.bookings;
