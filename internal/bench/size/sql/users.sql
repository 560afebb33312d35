-- Users, and their tokens: nobody knows their secrets.
INSERT INTO users (id, email, email_key, keyed_email, name, password_hash, role, created_at, updated_at, deleted_at, bookings_cancelled_at)
SELECT u.id, email, email, email, initcap(first.word || ' ' || last.word),
       CASE WHEN gone_at IS NULL THEN '' END,
       CASE WHEN u.n <= organizers THEN 'organizer' WHEN u.n = users THEN 'admin' ELSE 'attendee' END,
       u.created_at, coalesce(gone_at, u.created_at), gone_at, gone_at
FROM fill.size
CROSS JOIN fill.users u
JOIN fill.words first ON first.n = u.n % 300
JOIN fill.words last ON last.n = u.n / 7 % 4000
CROSS JOIN LATERAL (SELECT 'person' || u.n || '@example.com' AS email,
                           CASE WHEN u.n >= left_from AND u.n < users THEN u.created_at + interval '200 days' END AS gone_at) given
ORDER BY u.n;

INSERT INTO tokens (id, user_id, name, hash, abilities, created_at, last_used_at, expires_at)
SELECT gen_random_uuid(), u.id, 'Login', sha256(('no secret ' || u.n)::bytea), ARRAY['*'], now - interval '1 day', now - interval '1 hour', now + interval '29 days'
FROM fill.size CROSS JOIN fill.users u
WHERE u.n < left_from AND u.n % 4 = 0
ORDER BY u.n;

INSERT INTO login_delays (key, forgotten_at, next_at)
SELECT sha256(('delay ' || u.n)::bytea), now + interval '15 minutes', now
FROM fill.size CROSS JOIN fill.users u
WHERE u.n % 50 = 0
ORDER BY u.n;

INSERT INTO idempotency_keys (user_id, key, fingerprint, status, header, body, created_at)
SELECT u.id, 'key-' || k, sha256(k::text::bytea), 201, '{"Content-Type": ["application/json"]}', convert_to('{"id": "' || u.id || '"}', 'UTF8'),
       now - k * (interval '23 hours' / (events / 50))
FROM fill.size
CROSS JOIN LATERAL generate_series(1, events / 50) AS k
JOIN fill.users u ON u.n = first_booker + k % bookers
ORDER BY k;
