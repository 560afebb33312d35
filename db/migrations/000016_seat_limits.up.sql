-- How many seats people may have, and how often they may hold them.

ALTER TABLE events
    -- The most seats of one booking, and of one user in all slots of the event; null means
    -- any number. Events that exist keep none, and so do those of the previous version,
    -- which inserts without the columns.
    ADD max_seats_per_booking integer,
    ADD max_seats_per_user    integer,
    -- When one of the two was last changed: what was asked for before is not measured by
    -- them. Null: never.
    ADD seats_limited_at      timestamptz,
    ADD CONSTRAINT events_max_seats_per_booking CHECK (max_seats_per_booking BETWEEN 1 AND 1000000) NOT VALID,
    ADD CONSTRAINT events_max_seats_per_user CHECK (max_seats_per_user BETWEEN 1 AND 1000000) NOT VALID;

-- How long a user has held seats of a slot lately. Few entries are about holds, and others
-- are not in it. On a large ledger, build it by hand first, with CONCURRENTLY.
CREATE INDEX IF NOT EXISTS ledger_holds ON ledger (slot_id, user_id, at) WHERE kind = 'held';

-- How many drafts an organizer has.
CREATE INDEX IF NOT EXISTS events_drafts ON events (organizer_id) WHERE status = 'draft';
