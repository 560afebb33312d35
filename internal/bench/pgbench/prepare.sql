-- Users and slots whose ids can be computed by the scripts, in the service's schema.
INSERT INTO users (id, email, name, password_hash, role)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n || '@test.com', 'Some One', '', 'attendee'
FROM generate_series(0, 20010) AS n;

INSERT INTO events (id, organizer_id, title, time_zone, status, published_at, cancellation_closes_minutes, waitlist_mode,
    offer_minutes, fit, max_passes, hold_minutes)
VALUES ('00000000-0000-7000-9000-000000000000', '00000000-0000-7000-8000-000000000000', 'Bench', 'UTC', 'published', now(), 0, 'automatic',
    60, 'strict', 3, 10);

-- 2,000 slots to spread over; those from 2,000 on are for one measurement of a hot slot each.
-- The trigger that keeps the event's span reads all its slots for each.
ALTER TABLE slots DISABLE TRIGGER slots_event_span_joined;
INSERT INTO slots (id, event_id, starts_at, ends_at, capacity)
SELECT ('00000000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, '00000000-0000-7000-9000-000000000000',
    date_trunc('day', now()) + n * interval '2 hours' + interval '2 days', date_trunc('day', now()) + n * interval '2 hours' + interval '2 days 2 hours', 1000000
FROM generate_series(0, 2999) AS n;
ALTER TABLE slots ENABLE TRIGGER slots_event_span_joined;

CREATE TABLE commits (client integer NOT NULL, n bigint NOT NULL);
ANALYZE;
