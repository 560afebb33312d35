-- Events. One title in four has the word workshop, the last event's has zeppelin, and the
-- first event's has montgolfier. Other words are the rarer the higher their number.
INSERT INTO events (
    id, organizer_id, title, description, location, time_zone, status, revision,
    cancellation_closes_minutes, waitlist_mode, waitlist_limit, offer_minutes, hold_minutes, fit, max_passes, walk_ins,
    published_at, cancelled_at, slots_cancelled_at, cancellation_reason, created_at, updated_at, starts_at, ends_at)
SELECT e.id, e.organizer_id,
       initcap(first.word) || ' '
           || CASE WHEN e.n = events THEN 'zeppelin' WHEN e.n = 1 THEN 'montgolfier'
                   ELSE (ARRAY['workshop', 'concert', 'workshop', 'lecture', 'yoga', 'meeting', 'course', 'tour'])[1 + floor(fill.dice(e.n, 21) * 8)] END
           || ' ' || last.word,
       one.text || '. ' || other.text || '.', initcap(place.word),
       'Europe/Berlin', e.status, 1,
       (ARRAY[0, 60, 1440])[1 + floor(fill.dice(e.n, 24) * 3)], 'automatic', NULL, 60, 10,
       CASE WHEN fill.dice(e.n, 25) < 0.1 THEN 'first_fit' ELSE 'strict' END, 3, fill.dice(e.n, 26) < 0.05,
       CASE WHEN e.status <> 'draft' THEN e.created_at + interval '1 minute' END,
       c.cancelled_at, c.cancelled_at, CASE WHEN e.status = 'cancelled' THEN 'illness' END,
       e.created_at, coalesce(c.cancelled_at, e.created_at + interval '1 minute'),
       s.starts_at, s.ends_at
FROM fill.size
CROSS JOIN fill.events e
CROSS JOIN LATERAL (SELECT CASE WHEN e.status = 'cancelled' THEN e.cancelled_at END AS cancelled_at) c
JOIN fill.words first ON first.n = floor(power(fill.dice(e.n, 20), 3) * 6000)::int
JOIN fill.words last ON last.n = floor(power(fill.dice(e.n, 22), 2) * 6000)::int
JOIN fill.words place ON place.n = floor(power(fill.dice(e.n, 23), 4) * 500)::int
JOIN fill.texts one ON one.n = floor(fill.dice(e.n, 27) * 20000)::int
JOIN fill.texts other ON other.n = floor(fill.dice(e.n, 28) * 20000)::int
LEFT JOIN (
    SELECT event,
           coalesce(min(starts_at) FILTER (WHERE cancelled_by IS NULL), min(starts_at)) AS starts_at,
           coalesce(max(ends_at) FILTER (WHERE cancelled_by IS NULL), max(ends_at)) AS ends_at
    FROM fill.slots
    GROUP BY event
) s ON s.event = e.n
ORDER BY e.n;
