-- Users and their tokens.

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    email         text NOT NULL,
    name          text NOT NULL,
    -- argon2id in PHC string format; null after the user was anonymised.
    password_hash text,
    role          text NOT NULL DEFAULT 'attendee',
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Deleting a user anonymises the row: bookings and the ledger still refer to its id.
    deleted_at    timestamptz,

    CONSTRAINT users_role CHECK (role IN ('attendee', 'organizer', 'admin')),
    CONSTRAINT users_email_length CHECK (length(email) BETWEEN 3 AND 254),
    CONSTRAINT users_name_length CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT users_live_has_password CHECK (deleted_at IS NOT NULL OR password_hash IS NOT NULL)
);

-- One user per address, ignoring case.
CREATE UNIQUE INDEX users_one_email ON users (lower(email));

CREATE TABLE tokens (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL,
    name         text NOT NULL,
    -- SHA-256 of the token, so that a stolen table cannot be used to log in.
    hash         bytea NOT NULL,
    abilities    text[] NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at timestamptz,
    expires_at   timestamptz,

    CONSTRAINT tokens_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT tokens_one_hash UNIQUE (hash),
    CONSTRAINT tokens_hash_length CHECK (octet_length(hash) = 32),
    CONSTRAINT tokens_name_length CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT tokens_some_ability CHECK (cardinality(abilities) > 0)
);

CREATE INDEX tokens_by_user ON tokens (user_id, id);
