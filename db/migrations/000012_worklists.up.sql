-- Indexes for what the desk and the ticker look for. A row that a booking changes must
-- find no index on what it changes: then the change is a heap-only one (HOT), and writes
-- no index at all. So none of those on slots is about its counters.

-- The blocked bookings of a slot, so that a promotion need not read its whole queue for
-- them; also those that the capacity blocks.
CREATE INDEX IF NOT EXISTS bookings_blocked_by_slot ON bookings (slot_id, queued_version) WHERE blocked IS NOT NULL;
DROP INDEX bookings_waiting_for_capacity;

-- Whether anybody waits for the slot. It changes when a queue begins and ends only, unlike
-- waitlist_length, of which no index may be. (A generated column would rewrite the table.)
-- The trigger also keeps it for the previous version.
ALTER TABLE slots ADD has_queue boolean NOT NULL DEFAULT false;

CREATE FUNCTION slots_note_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.has_queue := NEW.waitlist_length > 0;
    RETURN NEW;
END $$;

CREATE TRIGGER slots_note_queue BEFORE INSERT OR UPDATE ON slots
    FOR EACH ROW WHEN (NEW.has_queue <> (NEW.waitlist_length > 0)) EXECUTE FUNCTION slots_note_queue();

-- For the waiting bookings that expire when their slot starts.
CREATE INDEX slots_with_queue ON slots (starts_at) WHERE has_queue;
UPDATE slots SET has_queue = true WHERE waitlist_length > 0;
DROP INDEX slots_waiting_ends;

-- When the ticker saw that all was cancelled with the slot or the event; null until then,
-- also for what was cancelled before there was this column: that is looked at once.
ALTER TABLE slots ADD bookings_cancelled_at timestamptz;
ALTER TABLE events ADD slots_cancelled_at timestamptz;

CREATE INDEX IF NOT EXISTS slots_being_cancelled ON slots (id) WHERE status = 'cancelled' AND bookings_cancelled_at IS NULL;
CREATE INDEX IF NOT EXISTS events_being_cancelled ON events (id) WHERE status = 'cancelled' AND slots_cancelled_at IS NULL;
