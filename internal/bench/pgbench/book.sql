BEGIN;
SELECT capacity, seats_taken, version, status FROM slots
WHERE id = ('00000000-0000-7000-a000-' || lpad(to_hex(:slot::int), 12, '0'))::uuid FOR UPDATE;
SELECT count(*) FROM bookings b
WHERE b.user_id = ('00000000-0000-7000-8000-' || lpad(to_hex(:user::int), 12, '0'))::uuid AND takes_seats(b.status)
  AND b.during && (SELECT during FROM slots WHERE id = ('00000000-0000-7000-a000-' || lpad(to_hex(:slot::int), 12, '0'))::uuid);
INSERT INTO bookings (id, slot_id, user_id, during, seats, status, version, created_at, updated_at)
SELECT gen_random_uuid(), s.id, ('00000000-0000-7000-8000-' || lpad(to_hex(:user::int), 12, '0'))::uuid, s.during, 1, 'confirmed', s.version + 1, now(), now()
FROM slots s WHERE s.id = ('00000000-0000-7000-a000-' || lpad(to_hex(:slot::int), 12, '0'))::uuid
RETURNING id AS booking \gset
UPDATE slots SET seats_taken = seats_taken + 1, version = version + 1, updated_at = now()
WHERE id = ('00000000-0000-7000-a000-' || lpad(to_hex(:slot::int), 12, '0'))::uuid AND seats_taken < capacity;
INSERT INTO ledger (slot_id, version, kind, booking_id, user_id, seats, status, capacity, seats_taken, waitlist_length, actor, actor_id, at)
SELECT s.id, s.version, 'booked', :booking::uuid, ('00000000-0000-7000-8000-' || lpad(to_hex(:user::int), 12, '0'))::uuid, 1, 'confirmed',
    s.capacity, s.seats_taken, 0, 'attendee', ('00000000-0000-7000-8000-' || lpad(to_hex(:user::int), 12, '0'))::uuid, now()
FROM slots s WHERE s.id = ('00000000-0000-7000-a000-' || lpad(to_hex(:slot::int), 12, '0'))::uuid;
COMMIT;
