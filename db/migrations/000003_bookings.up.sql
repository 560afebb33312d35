-- Bookings, and the ledger of everything that happened to them.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE bookings (
    id                  uuid PRIMARY KEY,
    slot_id             uuid NOT NULL,
    user_id             uuid NOT NULL,
    -- The slot's time, for bookings_no_overlap.
    during              tstzrange NOT NULL,
    seats               integer NOT NULL,
    status              text NOT NULL,
    -- The slot's version at the last change of this booking.
    version             bigint NOT NULL,

    -- The order in the queue: the version at which it joined. Never a clock or a sequence.
    queued_version      bigint,
    -- How often a booking behind it was served first.
    passes              integer NOT NULL DEFAULT 0,
    -- Why it cannot take seats now, and the user's other booking that prevents it.
    blocked             text,
    blocked_by          uuid,
    -- Keep and upgrade: the booking that is cancelled when this one is promoted.
    replaces_booking_id uuid,

    expires_at          timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,

    CONSTRAINT bookings_slot FOREIGN KEY (slot_id, during) REFERENCES slots (id, during) ON UPDATE CASCADE,
    CONSTRAINT bookings_user FOREIGN KEY (user_id) REFERENCES users (id),
    -- Checked at COMMIT, because a batch updates old bookings before it inserts the new
    -- ones that they may refer to.
    CONSTRAINT bookings_blocker FOREIGN KEY (blocked_by) REFERENCES bookings (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT bookings_replaced FOREIGN KEY (replaces_booking_id) REFERENCES bookings (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT bookings_status CHECK (status IN ('waitlisted', 'held', 'offered', 'confirmed', 'cancelled', 'expired')),
    CONSTRAINT bookings_seats CHECK (seats >= 1),
    CONSTRAINT bookings_place CHECK (status <> 'waitlisted' OR queued_version IS NOT NULL),
    CONSTRAINT bookings_blocked CHECK (blocked IS NULL OR (status = 'waitlisted' AND blocked IN ('overlap', 'capacity'))),
    CONSTRAINT bookings_blocked_by CHECK ((blocked_by IS NOT NULL) = (blocked IS NOT DISTINCT FROM 'overlap')),
    CONSTRAINT bookings_deadline CHECK ((status IN ('held', 'offered')) = (expires_at IS NOT NULL)),
    -- No user has seats in two slots at the same time.
    CONSTRAINT bookings_no_overlap EXCLUDE USING gist (user_id WITH =, during WITH &&)
        WHERE (status IN ('held', 'offered', 'confirmed'))
);

CREATE UNIQUE INDEX bookings_one_live ON bookings (user_id, slot_id)
    WHERE status IN ('waitlisted', 'held', 'offered', 'confirmed');

-- The queue, and the ready part of it.
CREATE UNIQUE INDEX bookings_queue ON bookings (slot_id, queued_version) WHERE status = 'waitlisted';
CREATE INDEX bookings_ready_queue ON bookings (slot_id, queued_version) WHERE status = 'waitlisted' AND blocked IS NULL;
CREATE INDEX bookings_blocked_waiters ON bookings (blocked_by) WHERE blocked_by IS NOT NULL;

CREATE INDEX bookings_due ON bookings (expires_at) WHERE status IN ('held', 'offered');
CREATE INDEX bookings_due_by_slot ON bookings (slot_id, expires_at) WHERE status IN ('held', 'offered');
CREATE INDEX bookings_live_by_slot ON bookings (slot_id) WHERE status IN ('waitlisted', 'held', 'offered', 'confirmed');
CREATE INDEX bookings_by_slot ON bookings (slot_id, id);
CREATE INDEX bookings_by_user ON bookings (user_id, id);

-- Everything that happened to a slot's seats and queue. It has no foreign keys,
-- because entries are kept after users and slots are deleted.
CREATE TABLE ledger (
    slot_id         uuid NOT NULL,
    version         bigint NOT NULL,
    kind            text NOT NULL,
    booking_id      uuid,
    user_id         uuid,
    -- Of the booking: its seats, and its status after this entry.
    seats           integer NOT NULL DEFAULT 0,
    status          text,
    -- Of the slot, after this entry.
    capacity        integer NOT NULL,
    seats_taken     integer NOT NULL,
    waitlist_length integer NOT NULL,

    reason          text,
    actor           text NOT NULL,
    actor_id        uuid,
    -- The entry that made this one possible, in the same ledger or another slot's.
    cause_slot_id   uuid,
    cause_version   bigint,
    at              timestamptz NOT NULL,

    CONSTRAINT ledger_one_entry_per_version PRIMARY KEY (slot_id, version),
    CONSTRAINT ledger_version CHECK (version >= 1),
    CONSTRAINT ledger_actor CHECK (actor IN ('attendee', 'organizer', 'admin', 'system')),
    CONSTRAINT ledger_no_oversell CHECK (0 <= seats_taken AND seats_taken <= capacity),
    CONSTRAINT ledger_cause CHECK ((cause_slot_id IS NULL) = (cause_version IS NULL)),
    CONSTRAINT ledger_booking CHECK ((booking_id IS NULL) = (status IS NULL))
);

CREATE INDEX ledger_by_booking ON ledger (booking_id, slot_id, version) WHERE booking_id IS NOT NULL;
CREATE INDEX ledger_by_cause ON ledger (cause_slot_id, cause_version) WHERE cause_slot_id IS NOT NULL;

CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_append_only', TABLE = 'ledger';
END $$;

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- Raises if a write did not find all its rows. Writes are pipelined with the COMMIT,
-- which would otherwise commit an UPDATE that found nothing to update.
CREATE FUNCTION expect_rows(what text, actual bigint, expected bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF actual <> expected THEN
        RAISE EXCEPTION '%: % of % rows were as the decision assumed', what, actual, expected
            USING ERRCODE = 'serialization_failure', CONSTRAINT = 'stale_decision';
    END IF;
END $$;
