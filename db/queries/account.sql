-- Users and their tokens (internal/account).
--
-- Every change of a user, or of the tokens and the password with which they sign in,
-- locks the user's row first: a login must not run beside a change of the password.

-- name: UserInsert :one
INSERT INTO users (id, email, email_key, keyed_email, name, password_hash, role)
VALUES (@id, @email, @email_key, @email, @name, @password_hash, @role)
RETURNING *;

-- name: UserFind :one
SELECT * FROM users WHERE id = @id AND deleted_at IS NULL;

-- The user of an address: the one with its key. A user without a key, because the
-- previous version made them or an older user has it, is found by lower(email). The
-- exact spelling comes first: so both of two users with one key can log in.
-- name: UserFindByEmail :one
SELECT * FROM users
WHERE deleted_at IS NULL
  AND (keyed_email = email AND email_key = @email_key
       OR keyed_email IS DISTINCT FROM email AND lower(email) = lower(@email))
ORDER BY email = @email DESC, keyed_email
LIMIT 1;

-- Locks one user. No row: the user was deleted, perhaps while this waited.
-- name: UserLock :one
SELECT * FROM users WHERE id = @id AND deleted_at IS NULL FOR NO KEY UPDATE;

-- Locks a user, and all administrators: whether somebody is the last of them is decided
-- under these locks only, so two who remove each other cannot leave none.
-- name: UserLockWithAdmins :many
SELECT id FROM users
WHERE deleted_at IS NULL AND (id = ANY(@ids::uuid[]) OR role = 'admin')
ORDER BY id
FOR NO KEY UPDATE;

-- name: AdminsCountOthers :one
SELECT count(*) FROM users WHERE role = 'admin' AND deleted_at IS NULL AND id <> @id;

-- How many published events of an organizer have not ended.
-- name: OrganizerEventsAhead :one
SELECT count(*) FROM events
WHERE organizer_id = @organizer_id AND status = 'published' AND ends_at > (SELECT clock_timestamp());

-- The users before a given id, the newest first. It is planned for its parameters each
-- time (postgres.Planned). With a role, the order is one that only users_by_role has: the
-- newest users are rarely organizers, so the primary key would be the long way to them.
-- name: UserList :many
SELECT * FROM users
WHERE (sqlc.narg(role)::text IS NOT NULL OR id < @before::uuid)
  AND (sqlc.narg(role)::text IS NULL OR role >= sqlc.narg(role)::text AND (role, id) < (sqlc.narg(role)::text, @before::uuid))
  AND deleted_at IS NULL
  AND (sqlc.narg(email)::text IS NULL
       OR keyed_email = email AND email_key = sqlc.narg(email_key)::text
       OR keyed_email IS DISTINCT FROM email AND lower(email) = lower(sqlc.narg(email)::text))
ORDER BY CASE WHEN sqlc.narg(role)::text IS NOT NULL THEN role END DESC, id DESC
LIMIT @page::int;

-- name: UserUpdate :one
UPDATE users
SET email = @email, email_key = @email_key, keyed_email = @keyed_email, name = @name, updated_at = clock_timestamp()
WHERE id = @id
RETURNING *;

-- name: UserSetRole :one
UPDATE users SET role = @role, updated_at = clock_timestamp()
WHERE id = @id
RETURNING *;

-- A page of the users who have no key of their present address.
-- name: UsersWithoutEmailKey :many
SELECT id, email FROM users
WHERE deleted_at IS NULL AND keyed_email IS DISTINCT FROM email AND id > @after_id
ORDER BY id
LIMIT @page::int;

-- Sets the keys of users, except where somebody has the key already, or the address
-- has changed meanwhile.
-- name: UsersSetEmailKeys :exec
UPDATE users u
SET email_key = v.key, keyed_email = v.email
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@emails::text[]) AS email, unnest(@keys::text[]) AS key) v
WHERE u.id = v.id
  AND u.email = v.email
  AND u.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM users o WHERE o.email_key = v.key AND o.keyed_email = o.email);

-- Who has these keys.
-- name: UsersByEmailKeys :many
SELECT id, email_key::text FROM users
WHERE email_key = ANY(@keys::text[]) AND keyed_email = email;

-- name: UserSetPassword :exec
UPDATE users SET password_hash = @password_hash WHERE id = @id;

-- Removes everything that identifies the user. Nobody can register with an address
-- of this domain, so the new address is free.
-- name: UserAnonymise :exec
UPDATE users
SET email = 'deleted+' || id || '@invalid',
    email_key = NULL,
    keyed_email = NULL,
    name = 'Deleted user',
    password_hash = NULL,
    deleted_at = clock_timestamp(),
    updated_at = clock_timestamp()
WHERE id = @id;

-- The user and the token with this hash.
-- name: TokenAuthenticate :one
SELECT t.id, t.user_id, t.abilities, u.role,
       coalesce(t.expires_at <= (SELECT clock_timestamp()), false)::bool AS expired,
       coalesce(t.last_used_at <= (SELECT clock_timestamp()) - interval '1 minute', true)::bool AS stale
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
    WHERE t.id = @id AND coalesce(t.last_used_at <= (SELECT clock_timestamp()) - interval '1 minute', true)
    FOR NO KEY UPDATE SKIP LOCKED);

-- name: TokenInsert :one
INSERT INTO tokens (id, user_id, name, hash, abilities, expires_at, parent_id)
VALUES (@id, @user_id, @name, @hash, @abilities, @expires_at, @parent_id)
RETURNING *;

-- How many of a user's tokens have not expired.
-- name: TokensCountWorking :one
SELECT count(*) FROM tokens
WHERE user_id = @user_id AND (expires_at IS NULL OR expires_at > (SELECT clock_timestamp()));

-- Lets a token live on without the one that made it.
-- name: TokenSetFree :exec
UPDATE tokens SET parent_id = NULL WHERE id = @id AND parent_id IS NOT NULL;

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

-- Deletes a token. Those that were made with it go with it (tokens_parent), here and below.
-- name: TokenDelete :execrows
DELETE FROM tokens WHERE id = @id AND user_id = @user_id;

-- Revokes all tokens of a user but one.
-- name: TokensDeleteOthers :exec
DELETE FROM tokens WHERE user_id = @user_id AND id <> @keep_id;

-- name: TokensDelete :exec
DELETE FROM tokens WHERE user_id = @user_id;
