-- Wrong passwords delay the next ones, and a token dies with the one that made it.

-- The token with which this one was made, unless that was done with the password. The
-- previous version makes tokens without it, as before.
ALTER TABLE tokens
    ADD parent_id uuid,
    ADD CONSTRAINT tokens_parent FOREIGN KEY (parent_id) REFERENCES tokens (id) ON DELETE CASCADE;

CREATE INDEX tokens_by_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;

-- What is remembered of wrong passwords, for an account, for an address, and for each
-- address from which somebody tries an account (internal/account/delay.go).
CREATE TABLE login_delays (
    -- An HMAC of what it is about, so that nobody reads here who tried what.
    key          bytea PRIMARY KEY,
    -- When all of it is forgotten. Each failure moves it on, so it also says how many
    -- there were.
    forgotten_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- No attempt before then; null in a row that is being made.
    next_at      timestamptz,

    CONSTRAINT login_delays_key_length CHECK (octet_length(key) = 32)
);

-- What to delete first.
CREATE INDEX login_delays_by_end ON login_delays (forgotten_at);

-- The key of these HMACs, in one row, which the first process that needs it makes.
CREATE TABLE login_secret (
    is_the_one boolean PRIMARY KEY DEFAULT true,
    secret     bytea NOT NULL,

    CONSTRAINT login_secret_one CHECK (is_the_one),
    CONSTRAINT login_secret_length CHECK (octet_length(secret) = 32)
);
