DROP INDEX bookings_waiting_for_capacity;
ALTER TABLE users DROP bookings_cancelled_at;
