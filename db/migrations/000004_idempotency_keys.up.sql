-- Requests that had their effect, with their answers.

CREATE TABLE idempotency_keys (
    user_id     uuid NOT NULL,
    key         text NOT NULL,
    -- SHA-256 of the request, to detect a key that is reused for another request.
    fingerprint bytea NOT NULL,
    status      integer NOT NULL,
    header      jsonb NOT NULL,
    body        bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT idempotency_keys_one_effect PRIMARY KEY (user_id, key),
    CONSTRAINT idempotency_keys_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT idempotency_keys_key_length CHECK (length(key) BETWEEN 1 AND 255),
    CONSTRAINT idempotency_keys_fingerprint_length CHECK (octet_length(fingerprint) = 32)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
