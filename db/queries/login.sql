-- Delays after wrong passwords (internal/account).
--
-- These rows come last in the lock order, by key.

-- Makes the secret, unless there is one.
-- name: LoginSecretMake :exec
INSERT INTO login_secret (secret) VALUES (@secret) ON CONFLICT DO NOTHING;

-- name: LoginSecretGet :one
SELECT secret FROM login_secret;

-- Locks the rows of these keys, and makes those that are missing; with the time, so that
-- what is decided under the locks is by the database's clock.
-- name: LoginDelaysLock :many
INSERT INTO login_delays AS d (key)
SELECT k FROM unnest(@keys::bytea[]) AS k ORDER BY k
ON CONFLICT (key) DO UPDATE SET next_at = d.next_at
RETURNING d.key, d.forgotten_at, d.next_at, clock_timestamp()::timestamptz AS now;

-- name: LoginDelaysWrite :exec
UPDATE login_delays d
SET forgotten_at = v.forgotten_at, next_at = v.next_at
FROM (SELECT unnest(@keys::bytea[]) AS key,
             unnest(@forgotten_at::timestamptz[]) AS forgotten_at,
             unnest(@next_at::timestamptz[]) AS next_at) v
WHERE d.key = v.key;

-- Deletes a page of rows whose failures are forgotten, and of those beyond the bound that
-- would be forgotten first.
-- name: LoginDelaysDeleteOld :execrows
DELETE FROM login_delays
WHERE key IN (
    SELECT d.key FROM login_delays d
    WHERE d.forgotten_at < greatest((SELECT clock_timestamp()),
        (SELECT b.forgotten_at FROM login_delays b ORDER BY b.forgotten_at DESC OFFSET @most::int LIMIT 1))
    ORDER BY d.forgotten_at
    LIMIT @page::int
    FOR UPDATE SKIP LOCKED);
