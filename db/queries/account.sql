-- Users and their tokens (internal/account).
--
-- Every change of a user, or of the tokens and the password with which they sign in,
-- locks the user's row first: a login must not run beside a change of the password.

-- name: UserInsert :one
INSERT INTO users (id, email, name, password_hash)
VALUES (@id, @email, @name, @password_hash)
RETURNING *;

-- name: UserFind :one
SELECT * FROM users WHERE id = @id AND deleted_at IS NULL;

-- name: UserFindByEmail :one
SELECT * FROM users WHERE lower(email) = lower(@email) AND deleted_at IS NULL;

-- Locks one user. No row: the user was deleted, perhaps while this waited.
-- name: UserLock :one
SELECT * FROM users WHERE id = @id AND deleted_at IS NULL FOR NO KEY UPDATE;

-- The users before a given id, the newest first.
-- name: UserList :many
SELECT * FROM users
WHERE id < @before
  AND deleted_at IS NULL
  AND (sqlc.narg(email)::text IS NULL OR lower(email) = lower(sqlc.narg(email)::text))
  AND (sqlc.narg(role)::text IS NULL OR role = sqlc.narg(role)::text)
ORDER BY id DESC
LIMIT @page::int;

-- name: UserUpdate :one
UPDATE users
SET email = @email, name = @name, role = @role, updated_at = clock_timestamp()
WHERE id = @id
RETURNING *;

-- name: UserSetPassword :exec
UPDATE users SET password_hash = @password_hash WHERE id = @id;

-- Removes everything that identifies the user. Nobody can register with an address
-- of this domain, so the new address is free.
-- name: UserAnonymise :exec
UPDATE users
SET email = 'deleted+' || id || '@invalid',
    name = 'Deleted user',
    password_hash = NULL,
    deleted_at = clock_timestamp(),
    updated_at = clock_timestamp()
WHERE id = @id;

-- The user and the token with this hash.
-- name: TokenAuthenticate :one
SELECT t.id, t.user_id, t.abilities, u.role,
       coalesce(t.expires_at <= clock_timestamp(), false)::bool AS expired,
       coalesce(t.last_used_at <= clock_timestamp() - interval '1 minute', true)::bool AS stale
FROM tokens t
JOIN users u ON u.id = t.user_id
WHERE t.hash = @hash AND u.deleted_at IS NULL;

-- Records that a token was used, at most once a minute. Of many requests with one
-- token at the same time, one writes, and the others do not wait for it.
-- name: TokenTouch :exec
UPDATE tokens
SET last_used_at = clock_timestamp()
WHERE id = (
    SELECT t.id FROM tokens t
    WHERE t.id = @id AND coalesce(t.last_used_at <= clock_timestamp() - interval '1 minute', true)
    FOR NO KEY UPDATE SKIP LOCKED);

-- name: TokenInsert :one
INSERT INTO tokens (id, user_id, name, hash, abilities, expires_at)
VALUES (@id, @user_id, @name, @hash, @abilities, @expires_at)
RETURNING *;

-- Whether a token exists, and how many of the user's tokens have not expired.
-- name: TokenStanding :one
SELECT count(*) FILTER (WHERE id = @id) > 0 AS present,
       count(*) FILTER (WHERE expires_at IS NULL OR expires_at > clock_timestamp()) AS working
FROM tokens
WHERE user_id = @user_id;

-- Keeps those of a user's tokens that expire last, and deletes the others.
-- name: TokensKeep :exec
DELETE FROM tokens
WHERE id IN (
    SELECT t.id FROM tokens t
    WHERE t.user_id = @user_id
    ORDER BY t.expires_at DESC NULLS FIRST, t.id DESC
    OFFSET @keep::int);

-- name: TokenList :many
SELECT * FROM tokens
WHERE user_id = @user_id AND id < @before
ORDER BY id DESC
LIMIT @page::int;

-- name: TokenGet :one
SELECT * FROM tokens WHERE id = @id AND user_id = @user_id;

-- name: TokenDelete :execrows
DELETE FROM tokens WHERE id = @id AND user_id = @user_id;

-- Revokes all tokens of a user but one.
-- name: TokensDeleteOthers :exec
DELETE FROM tokens WHERE user_id = @user_id AND id <> @keep_id;

-- name: TokensDelete :exec
DELETE FROM tokens WHERE user_id = @user_id;
