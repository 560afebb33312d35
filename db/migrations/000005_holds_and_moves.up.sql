-- Holds, promotion with fewer seats, moves, check-in.

ALTER TABLE events
    ADD hold_minutes integer NOT NULL DEFAULT 10,
    ADD CONSTRAINT events_hold_minutes CHECK (hold_minutes BETWEEN 1 AND 60);

ALTER TABLE bookings
    -- The fewest seats that it may be promoted with; null means all.
    ADD seats_min integer,
    -- The booking that replaced it by an upgrade. Waiting bookings that would replace
    -- this one replace that one instead.
    ADD replaced_by uuid,
    -- The booking that was moved to this one.
    ADD moved_from uuid,
    ADD checked_in_at timestamptz,
    ADD CONSTRAINT bookings_seats_min CHECK (seats_min BETWEEN 1 AND seats),
    ADD CONSTRAINT bookings_replacement FOREIGN KEY (replaced_by) REFERENCES bookings (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT bookings_origin FOREIGN KEY (moved_from) REFERENCES bookings (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT bookings_checked_in CHECK (checked_in_at IS NULL OR status = 'confirmed');

-- For the limit of a user's held seats.
CREATE INDEX bookings_held ON bookings (user_id) WHERE status = 'held';
