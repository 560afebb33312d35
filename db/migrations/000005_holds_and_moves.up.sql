-- The rest of a booking's life: holds, partial acceptance, moves, check-in.

ALTER TABLE events
    ADD hold_minutes integer NOT NULL DEFAULT 10,
    ADD CONSTRAINT events_hold_minutes CHECK (hold_minutes BETWEEN 1 AND 60);

ALTER TABLE bookings
    -- With how few seats it may be promoted; null: only with all of them.
    ADD seats_min integer,
    -- Which booking took its place: by an upgrade. Waits that name this one mean that one.
    ADD replaced_by uuid,
    -- Which booking this one was made from, by a move.
    ADD moved_from uuid,
    ADD checked_in_at timestamptz,
    ADD CONSTRAINT bookings_seats_min CHECK (seats_min BETWEEN 1 AND seats),
    ADD CONSTRAINT bookings_replacement FOREIGN KEY (replaced_by) REFERENCES bookings (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT bookings_origin FOREIGN KEY (moved_from) REFERENCES bookings (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT bookings_checked_in CHECK (checked_in_at IS NULL OR status = 'confirmed');

-- Held seats of a user, which are bounded.
CREATE INDEX bookings_held ON bookings (user_id) WHERE status = 'held';
