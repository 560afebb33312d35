DROP INDEX bookings_held;
ALTER TABLE bookings
    DROP seats_min,
    DROP replaced_by,
    DROP moved_from,
    DROP checked_in_at;
ALTER TABLE events DROP hold_minutes;
