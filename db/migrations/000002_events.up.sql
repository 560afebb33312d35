-- Events and their slots.

CREATE TABLE events (
    id                          uuid PRIMARY KEY,
    organizer_id                uuid NOT NULL,
    title                       text NOT NULL,
    description                 text NOT NULL DEFAULT '',
    location                    text NOT NULL DEFAULT '',
    time_zone                   text NOT NULL,
    status                      text NOT NULL DEFAULT 'draft',
    -- Counts edits; an edit names the revision that it is based on.
    revision                    bigint NOT NULL DEFAULT 1,

    booking_opens_at            timestamptz,
    booking_closes_at           timestamptz,
    cancellation_closes_minutes integer NOT NULL DEFAULT 0,
    waitlist_mode               text NOT NULL DEFAULT 'automatic',
    -- How many bookings may wait for one slot; null means no limit.
    waitlist_limit              integer,
    offer_minutes               integer NOT NULL DEFAULT 60,
    fit                         text NOT NULL DEFAULT 'strict',
    max_passes                  integer NOT NULL DEFAULT 3,

    published_at                timestamptz,
    cancelled_at                timestamptz,
    cancellation_reason         text,
    created_at                  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at                  timestamptz NOT NULL DEFAULT clock_timestamp(),

    -- First start and last end of the slots that are not cancelled (of all slots, if all
    -- are). Maintained by slots_keep_event_span, so that lists need not aggregate.
    starts_at                   timestamptz,
    ends_at                     timestamptz,

    search                      tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title), 'A') ||
        setweight(to_tsvector('simple', location), 'B') ||
        setweight(to_tsvector('simple', description), 'C')) STORED,

    CONSTRAINT events_organizer FOREIGN KEY (organizer_id) REFERENCES users (id),
    CONSTRAINT events_status CHECK (status IN ('draft', 'published', 'cancelled')),
    CONSTRAINT events_title_length CHECK (length(title) BETWEEN 1 AND 200),
    CONSTRAINT events_booking_period CHECK (booking_opens_at < booking_closes_at),
    CONSTRAINT events_cancellation_closes CHECK (cancellation_closes_minutes BETWEEN 0 AND 525600),
    CONSTRAINT events_waitlist_mode CHECK (waitlist_mode IN ('off', 'automatic', 'offer')),
    CONSTRAINT events_waitlist_limit CHECK (waitlist_limit >= 0),
    CONSTRAINT events_offer_minutes CHECK (offer_minutes BETWEEN 1 AND 10080),
    CONSTRAINT events_fit CHECK (fit IN ('strict', 'first_fit')),
    CONSTRAINT events_max_passes CHECK (max_passes BETWEEN 0 AND 100),
    CONSTRAINT events_published_once CHECK (status <> 'published' OR published_at IS NOT NULL),
    CONSTRAINT events_cancelled_when CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL))
);

CREATE INDEX events_by_start ON events (starts_at, id);
CREATE INDEX events_by_creation ON events (created_at, id);
CREATE INDEX events_by_organizer ON events (organizer_id, id);
CREATE INDEX events_by_words ON events USING gin (search);

CREATE TABLE slots (
    id               uuid PRIMARY KEY,
    event_id         uuid NOT NULL,
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL,
    -- Half-open: a slot that begins when another ends does not overlap it.
    during           tstzrange NOT NULL GENERATED ALWAYS AS (tstzrange(starts_at, ends_at, '[)')) STORED,
    capacity         integer NOT NULL,
    status           text NOT NULL DEFAULT 'open',
    revision         bigint NOT NULL DEFAULT 1,

    -- The lock of this row is the mutex of its seats: what follows changes only under it.
    -- version is that of the slot's last entry in the ledger.
    version          bigint NOT NULL DEFAULT 0,
    seats_taken      integer NOT NULL DEFAULT 0,
    waitlist_length  integer NOT NULL DEFAULT 0,
    -- The waiting bookings that are not blocked.
    waitlist_ready   integer NOT NULL DEFAULT 0,
    -- The latest entry that made a promotion possible: the cause of the next one.
    freed_version    bigint NOT NULL DEFAULT 0,
    -- Since when a promotion may be possible and was not tried; the ticker's worklist.
    promotion_due_at timestamptz,

    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT slots_event FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE,
    CONSTRAINT slots_status CHECK (status IN ('open', 'closed', 'cancelled')),
    CONSTRAINT slots_time CHECK (starts_at < ends_at),
    CONSTRAINT slots_capacity CHECK (capacity BETWEEN 1 AND 1000000),
    CONSTRAINT slots_no_oversell CHECK (0 <= seats_taken AND seats_taken <= capacity),
    CONSTRAINT slots_waitlist CHECK (0 <= waitlist_ready AND waitlist_ready <= waitlist_length),
    CONSTRAINT slots_version CHECK (0 <= freed_version AND freed_version <= version),
    -- Referenced by the bookings' copies of the time, so that these cannot differ.
    CONSTRAINT slots_time_of_bookings UNIQUE (id, during)
);

CREATE INDEX slots_by_event ON slots (event_id, starts_at, id);
CREATE INDEX slots_promotion_due ON slots (promotion_due_at) WHERE promotion_due_at IS NOT NULL;
-- For the waiting bookings that expire when their slot starts.
CREATE INDEX slots_waiting_ends ON slots (starts_at) WHERE waitlist_length > 0;

CREATE FUNCTION slots_keep_event_span() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.event_id ELSE NEW.event_id END;
BEGIN
    -- Lock in a separate statement first, so that the aggregate below sees what another
    -- transaction committed about another slot of the event while this one waited.
    PERFORM FROM events WHERE id = event FOR NO KEY UPDATE;
    UPDATE events
    SET (starts_at, ends_at) = (
        SELECT coalesce(min(s.starts_at) FILTER (WHERE s.status <> 'cancelled'), min(s.starts_at)),
               coalesce(max(s.ends_at) FILTER (WHERE s.status <> 'cancelled'), max(s.ends_at))
        FROM slots s
        WHERE s.event_id = event)
    WHERE id = event;
    RETURN NULL;
END $$;

CREATE TRIGGER slots_event_span_joined
    AFTER INSERT OR DELETE ON slots
    FOR EACH ROW EXECUTE FUNCTION slots_keep_event_span();

CREATE TRIGGER slots_event_span_changed
    AFTER UPDATE OF starts_at, ends_at, status ON slots
    FOR EACH ROW
    WHEN (OLD.starts_at <> NEW.starts_at OR OLD.ends_at <> NEW.ends_at OR OLD.status <> NEW.status)
    EXECUTE FUNCTION slots_keep_event_span();
